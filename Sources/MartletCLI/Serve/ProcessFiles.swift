import FoundationEssentials
import Glibc
import MartletBroker

/// The file that holds the process id.
enum PIDFile {
    static func write(to path: String) throws(CommandFailure) {
        try ProcessFiles.write(Array("\(getpid())".utf8), to: path, mode: 0o640)
    }
}

/// `<executable>_<pid>.ports`: where the server listens, for whoever started it on any free port.
struct PortsFile: Encodable {
    var nats: [String]?
    var monitoring: [String]?

    static func path(in directory: String) -> String {
        "\(directory)/\(ProcessFacts.executableName)_\(getpid()).ports"
    }

    init(client: HostAndPort?, monitoring: HostAndPort?) {
        nats = client.map { Self.urls("nats", $0) }
        self.monitoring = monitoring.map { Self.urls("http", $0) }
    }

    func write(to path: String) throws(CommandFailure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
        guard let data = try? encoder.encode(self) else { return }
        try ProcessFiles.write(Array(data), to: path, mode: 0o644)
    }

    /// Returns what went wrong.
    static func remove(from directory: String) -> String? {
        let path = path(in: directory)
        guard unsafe unlink(path) != 0 else { return nil }
        return "Error cleaning up ports file \(path): remove \(path): \(SystemError.text(errno))"
    }

    private static func urls(_ scheme: String, _ address: HostAndPort) -> [String] {
        let isAny = ["0.0.0.0", "::", ""].contains(address.host)
        let hosts = isAny ? NetworkInterfaces.addresses() : [address.host]
        return hosts.map { "\(scheme)://\(HostAndPort(host: $0, port: address.port))" }
    }
}

enum ProcessFiles {
    /// Throws if `write` could not open the file; leaves everything as it is.
    static func check(_ path: String) throws(CommandFailure) {
        let isThere = unsafe access(path, F_OK) == 0
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw CommandFailure(description: "open \(path): \(SystemError.text(errno))")
        }
        close(descriptor)
        if !isThere { unsafe unlink(path) }
    }

    static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(CommandFailure) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw CommandFailure(description: "open \(path): \(SystemError.text(errno))")
        }
        defer { close(descriptor) }
        guard Console.write(bytes, to: descriptor) else {
            throw CommandFailure(description: "write \(path): \(SystemError.text(errno))")
        }
    }
}

/// The addresses of this machine.
enum NetworkInterfaces {
    static func addresses() -> [String] {
        var list: UnsafeMutablePointer<ifaddrs>?
        guard unsafe getifaddrs(&list) == 0 else { return [] }
        defer { unsafe freeifaddrs(list) }
        var found: [String] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let text = unsafe text(of: entry.pointee.ifa_addr) { found.append(text) }
            unsafe next = entry.pointee.ifa_next
        }
        return found
    }

    private static func text(of address: UnsafeMutablePointer<sockaddr>?) -> String? {
        guard let address = unsafe address else { return nil }
        let sizes = [
            AF_INET: MemoryLayout<sockaddr_in>.size, AF_INET6: MemoryLayout<sockaddr_in6>.size,
        ]
        guard let size = unsafe sizes[Int32(address.pointee.sa_family)] else { return nil }
        var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = unsafe getnameinfo(
            address, socklen_t(size), &buffer, socklen_t(buffer.count), nil, 0, NI_NUMERICHOST)
        guard code == 0 else { return nil }
        return String(
            decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
