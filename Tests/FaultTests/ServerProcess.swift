import Foundation
import Glibc
import MartletTestSupport

/// The executable under test as a process of its own, with its configuration and log in a directory
/// that goes with it. MARTLET_BINARY names another build of it.
final class ServerProcess: Sendable {
    struct DidNotStart: Error {
        let log: String
    }

    let directory: String
    let port: Int
    private let process: ChildProcess

    var pid: pid_t { process.pid }
    var isRunning: Bool { process.isRunning }
    var log: String { (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? "" }

    /// Starts the executable by way of a shell that first runs `preparation`, for example an ulimit.
    init(
        _ configuration: String, port: Int = -1, preparation: String = ":", log: String = "log"
    ) throws {
        directory = NSTemporaryDirectory() + "/martlet-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        try "host: 127.0.0.1\nport: \(port)\n\(configuration)\n"
            .write(toFile: directory + "/server.conf", atomically: false, encoding: .utf8)
        let command = "\(preparation); exec \"$0\" -c server.conf > \(log) 2>&1"
        process = try ChildProcess(
            "/bin/sh", ["-c", command, Self.executable], directory: directory)
        let found = port > 0 ? Self.accepts(port) : Self.portWhenListening(directory + "/log")
        guard let found else {
            throw DidNotStart(
                log: (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? "")
        }
        self.port = found
    }

    deinit {
        // Or it might write into the directory again.
        process.signal(SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static var executable: String {
        if let path = environment("MARTLET_BINARY") { return path }
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return own.deletingLastPathComponent().appendingPathComponent("martlet").path
    }

    private static func accepts(_ port: Int) -> Int? {
        eventually(20) { (try? RawClient(port: port)) != nil } ? port : nil
    }

    private static func portWhenListening(_ path: String) -> Int? {
        var port: Int?
        _ = eventually(20) {
            let log = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
            let line = log.split(separator: "\n").last {
                $0.contains("Listening for client connections on")
            }
            port = line?.split(separator: ":").last.flatMap { Int($0) }
            return port != nil && log.contains("Server is ready")
        }
        return port
    }

    func signal(_ number: Int32) { process.signal(number) }

    /// Whether the process ends within some seconds.
    func ends(within seconds: Double) -> Bool { eventually(seconds) { !process.isRunning } }

    func client(_ options: ClientOptions = ClientOptions()) throws -> RawClient {
        let client = try RawClient(port: port, receiveBufferBytes: options.receiveBufferBytes)
        try client.connect(options)
        return client
    }

    // MARK: What it takes from the system

    /// VmRSS in bytes.
    var residentBytes: Int {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }

    var openDescriptors: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count) ?? 0
    }

    /// User and system time so far.
    var cpuSeconds: Double {
        let stat = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
        let fields = stat.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 13, let user = Double(fields[11]), let system = Double(fields[12])
        else { return 0 }
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}

/// A port that nobody listens on now.
func freePort() throws -> Int {
    let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    defer { close(fd) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe bind(fd, $0, length) == 0 ? getsockname(fd, $0, &length) : -1
        }
    }
    guard code == 0 else { throw ClientFailure.connect(code: errno) }
    return Int(UInt16(bigEndian: address.sin_port))
}

/// Lets this process open that many descriptors.
func allowDescriptors(_ count: UInt) {
    var limit = rlimit()
    unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, count))
    unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
