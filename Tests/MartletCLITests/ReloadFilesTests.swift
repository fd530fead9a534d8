import Foundation
import Glibc
import MartletTestSupport
import Testing

@testable import MartletCLI

@Suite("Files that a reload needs", .serialized, .timeLimit(.minutes(2)))
struct ReloadFilesTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func started(_ text: String = "") async throws -> MartletProcess {
        let path = try directory.write("m.conf", text)
        let process = try MartletProcess(["-a", "127.0.0.1", "-p", "-1", "-c", path])
        try await process.waitForLog("Server is ready")
        return process
    }

    private func reload(_ process: MartletProcess, _ text: String) throws {
        try directory.write("m.conf", text)
        process.signal(SIGHUP)
    }

    @Test(
        "one that cannot be opened refuses the whole reload",
        arguments: [
            ("log_file: /absent/log", "error opening file: open /absent/log: no such file"),
            ("remote_syslog: 'unix:///absent/s'", "error connecting to syslog: \"no such file"),
            ("pid_file: /absent/pid", "open /absent/pid: no such file"),
            ("ports_file_dir: /absent", "open /absent/martlet_"),
        ])
    func refused(key: String, reason: String) async throws {
        let process = try await started()
        try reload(process, "max_payload: 2MB\n\(key)\n")
        try await process.waitForLog("[ERR] Failed to reload server configuration: \(reason)")
        #expect(!process.log.contains("Reloaded"))
        // What it runs with is what it had, so the limit is a change again.
        try reload(process, "max_payload: 2MB\n")
        try await process.waitForLog("Reloaded server configuration")
        let changes = process.log.split(separator: "\n").filter { $0.contains("Reloaded: ") }
        #expect(changes.count == 1)
        #expect(changes.first?.hasSuffix("Reloaded: max_payload = 2097152") == true)
    }

    @Test("are as they were after a reload that is refused for another reason")
    func untouched() async throws {
        let process = try await started()
        let pid = try directory.write("kept.pid", "another's")
        let log = try directory.write("large.log", String(repeating: "x", count: 5_000))
        let files = "log_file: '\(log)'\nlogfile_size_limit: 1000\n"
        for name in ["kept", "new"] {
            let file = directory.file("\(name).pid")
            try reload(process, "\(files)pid_file: '\(file)'\nserver_name: \(name)\n")
            try await process.waitForLog("not supported for ServerName: old=, new=\(name)")
        }
        #expect(directory.text("kept.pid") == "another's")
        #expect(!FileManager.default.fileExists(atPath: directory.file("new.pid")))
        #expect(directory.text("large.log").utf8.count == 5_000)
        try reload(process, "\(files)pid_file: '\(pid)'\n")
        #expect(
            await becomesTrue {
                directory.text("large.log").contains("Reloaded: pid_file = \(pid)")
            })
        #expect(directory.text("kept.pid") == "\(process.pid)")
        #expect(directory.text("large.log").contains("Rotated log, backup saved as "))
        #expect(!process.log.contains("Reloaded"))
    }

    @Test("keys that need a restart are told one line each")
    func allKeys() async throws {
        let process = try await started()
        try reload(process, "server_name: x\nhttp_base_path: /p\n")
        let start = "[ERR] Failed to reload server configuration: config reload not supported for "
        try await process.waitForLog("\(start)ServerName: old=, new=x\n")
        try await process.waitForLog("\(start)HTTPBasePath: old=, new=/p\n")
    }
}
