import Foundation
import Glibc
import Testing

/// What this process holds.
struct ProcessCounts {
    let descriptors: Int
    let listeners: Int
    /// Threads that brokers start, by their names: the test runner has others, which come and go.
    let loopThreads: Int

    init() throws {
        let files = FileManager.default
        descriptors = try files.contentsOfDirectory(atPath: "/proc/self/fd").count
        let sockets = try String(contentsOfFile: "/proc/self/net/tcp", encoding: .utf8)
        let own = try files.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
            try? files.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        }
        listeners = sockets.split(separator: "\n").dropFirst().count { line in
            let fields = line.split(separator: " ")
            return fields[3] == "0A" && own.contains("socket:[\(fields[9])]")
        }
        loopThreads = try files.contentsOfDirectory(atPath: "/proc/self/task").count { task in
            let name =
                (try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)) ?? ""
            return ["loop-", "lame-duck", "stop", "authentication"].contains { name.hasPrefix($0) }
        }
    }
}

/// Waits for something that comes about in a moment; fails after ten seconds.
func waitUntil(
    sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
) async throws {
    for _ in 0..<1_000 {
        if try condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("it did not come about in ten seconds", sourceLocation: sourceLocation)
}

/// A plain TCP client.
final class TestSocket: Sendable {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        unsafe setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        guard status == 0 else {
            // A class whose initialiser throws late still runs `deinit`, which closes.
            throw POSIXError(.ECONNREFUSED)
        }
    }

    deinit { close(descriptor) }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    /// Until `text` has come, or the end.
    func read(until text: String) -> String {
        var all = ""
        while !all.contains(text), let more = receive(), !more.isEmpty { all += more }
        return all
    }

    /// Whether the peer closes, whatever it sends before; false when that takes ten seconds.
    func reachesEnd() -> Bool {
        while let more = receive() {
            if more.isEmpty { return true }
        }
        return false
    }

    /// Empty at the end, nil when nothing came in time. A reset is an end, too.
    private func receive() -> String? {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(descriptor, &chunk, chunk.count, 0)
        guard count >= 0 else { return errno == ECONNRESET ? "" : nil }
        return String(decoding: chunk[..<count], as: UTF8.self)
    }
}
