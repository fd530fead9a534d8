import Foundation
import Glibc
import Logging
import MartletBroker
import MartletTestSupport
import Testing

@testable import MartletCLI

@Suite("The log")
struct LogTests {
    @Test("a line has the process, the time to the microsecond, the level and the text")
    func format() {
        let style = LogLineStyle(processID: 7)
        let line = style.line(LogEntry(label: .warning, text: "a [b] c"))
        #expect(
            line.wholeMatch(
                of: /\[7\] \d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d\.\d{6} \[WRN\] a \[b\] c\n/) != nil)
        let plain = LogLineStyle(showsTime: false, processID: 7)
        #expect(plain.line(LogEntry(label: .trace, text: "x")) == "[7] [TRC] x\n")
        let coloured = LogLineStyle(showsTime: false, isColoured: true, processID: 7)
        #expect(
            coloured.line(LogEntry(label: .information, text: "x"))
                == "[7] [\u{1B}[32mINF\u{1B}[0m] x\n")
    }

    @Test("the clock's texts")
    func clock() {
        let clock = WallClock(timespec(tv_sec: 1_795_375_525, tv_nsec: 1_234_567), utc: true)
        #expect(clock.logStamp == "2026/11/22 19:25:25.001234")
        #expect(clock.backupStamp == "2026.11.22.19.25.25.001234567")
        #expect(clock.internetStamp == "2026-11-22T19:25:25Z")
        #expect(clock.syslogStamp == "Nov 22 19:25:25")
    }

    @Test("debug and trace are switches of their own")
    func levels() throws {
        let directory = try TemporaryDirectory()
        var settings = BrokerConfiguration.Log()
        settings.file = directory.file("log")
        settings.trace = true
        let log = try ServerLog(settings)
        let logger = Logger(label: "test") { _ in ServerLogHandler(log: log) }
        logger.debug("hidden")
        logger.trace("traced")
        logger.notice("noticed", metadata: ["b": "2", "a": "1"])
        settings.trace = false
        settings.debug = true
        log.adopt(settings, try log.openSink(for: settings))
        logger.debug("debugged")
        logger.trace("hidden")
        log.close()
        let text = directory.text("log")
        #expect(!text.contains("hidden"))
        #expect(text.contains("[TRC] traced\n"))
        #expect(text.contains("[INF] noticed a=1 b=2\n"))
        #expect(text.contains("[DBG] debugged\n"))
    }

    @Test("a file over its size is renamed, and old backups go")
    func rotation() throws {
        let directory = try TemporaryDirectory()
        let other = directory.file("log.not-a-backup")
        #expect(FileManager.default.createFile(atPath: other, contents: nil))
        let sink = try FileSink(
            path: directory.file("log"), style: LogLineStyle(processID: 1), bytesMax: 300,
            filesMax: 3)
        for number in 0..<100 { sink.write(LogEntry(label: .information, text: "line \(number)")) }
        sink.close()
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        let backups = names.filter { FileSink.isBackupStamp($0.dropFirst("log.".count)) }
        #expect(backups.count == 2)
        #expect(names.count == 4)
        let text = directory.text("log")
        #expect(text.contains("Rotated log, backup saved as \"\(directory.path)/log.20"))
        #expect(text.utf8.count <= 900)
        let newest = directory.text(backups.sorted()[1])
        #expect((newest + text).contains("line 99\n"))
    }

    @Test("a file is appended to, and opened again after a rename")
    func reopen() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("log")
        try "before\n".write(toFile: path, atomically: false, encoding: .utf8)
        var settings = BrokerConfiguration.Log()
        settings.file = path
        let log = try ServerLog(settings)
        log.write(.information, "one")
        try FileManager.default.moveItem(atPath: path, toPath: path + ".old")
        log.write(.information, "two")
        log.reopen()
        log.write(.information, "three")
        log.close()
        let old = directory.text("log.old")
        #expect(old.hasPrefix("before\n") && old.contains("one") && old.contains("two"))
        let fresh = directory.text("log")
        #expect(fresh.contains("File log re-opened") && fresh.contains("three"))
        #expect(!fresh.contains("two"))
    }

    @Test(
        "a full pipe delays nobody: lines are dropped and counted",
        .timeLimit(.minutes(isSanitized ? 10 : 1)))
    func fullPipe() throws {
        var ends: [Int32] = [0, 0]
        #expect(unsafe pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let sink = StreamSink(descriptor: ends[1], style: LogLineStyle(processID: 1))
        for number in 0..<5_000 {
            sink.write(LogEntry(label: .information, text: "line \(number) with some text"))
        }
        #expect(sink.droppedLines > 100)
        let dropped = sink.droppedLines
        var text = drain(ends[0])
        sink.write(LogEntry(label: .information, text: "after"))
        sink.close()
        text += drain(ends[0])
        #expect(text.contains("[WRN] Dropped \(dropped) log lines"))
        #expect(text.hasSuffix("[INF] after\n"))
        let lines = text.split(separator: "\n")
        #expect(lines.allSatisfy { $0.hasPrefix("[1] ") })
        close(ends[0])
        close(ends[1])
    }

    private func drain(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var status = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while unsafe poll(&status, 1, 0) == 1, status.revents & Int16(POLLIN) != 0 {
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = unsafe read(descriptor, &chunk, chunk.count)
            bytes += chunk[..<max(0, count)]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("a remote syslog server gets datagrams with priority, host and tag")
    func remoteSyslog() throws {
        let server = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        defer { close(server) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                #expect(unsafe bind(server, $0, length) == 0)
                #expect(unsafe getsockname(server, $0, &length) == 0)
            }
        }
        let port = UInt16(bigEndian: address.sin_port)
        let sink = try SyslogSink(remote: "udp://127.0.0.1:\(port)")
        sink.write(LogEntry(label: .error, text: "it broke"))
        sink.close()
        var bytes = [UInt8](repeating: 0, count: 1_000)
        let count = unsafe recv(server, &bytes, bytes.count, 0)
        let text = String(decoding: bytes[..<max(0, count)], as: UTF8.self)
        #expect(text.wholeMatch(of: /<3>\d{4}-\d\d-\d\dT\S+Z \S+ \S+\[\d+\]: it broke\n/) != nil)
    }

    @Test("bad syslog addresses are refused", arguments: ["x", "http://a"])
    func badSyslog(url: String) {
        #expect(throws: SyslogSink.ConnectFailure.self) { try SyslogSink(remote: url) }
    }
}
