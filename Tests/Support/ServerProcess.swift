import Glibc
import Testing

/// The executable under test as a server that clients connect to. MARTLET_BINARY names another build of it.
public final class ServerProcess: Sendable {
    public let process: MartletProcess
    public let port: Int

    /// Starts it with a configuration on a port; -1 for any, which its log tells, and so needs the log to
    /// be in its directory.
    public init(
        _ configuration: String, port: Int = -1, preparation: String? = nil,
        errors: ChildProcess.Stream? = nil
    ) throws {
        let process = try MartletProcess(
            ["-c", "server.conf"],
            executable: environment("MARTLET_BINARY") ?? MartletProcess.executable,
            errors: errors, preparation: preparation,
            configuration: "host: 127.0.0.1\nport: \(port)\n\(configuration)\n")
        self.process = process
        let isUp = eventually(20) {
            port > 0
                ? (try? RawClient(port: port)) != nil : process.log.contains("Server is ready")
        }
        guard isUp else { throw MartletProcess.TimedOut(log: process.log) }
        self.port = try port > 0 ? port : process.port(after: "Listening for client connections on")
    }

    public func client(_ options: ClientOptions = ClientOptions()) throws -> RawClient {
        let client = try RawClient(port: port, pendingBytes: options.pendingBytes)
        try client.connect(options)
        return client
    }
}

/// Lets this process open that many descriptors.
public func allowDescriptors(_ count: UInt) throws {
    var limit = rlimit()
    let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    try #require(getrlimit(resource, &limit) == 0)
    limit.rlim_cur = min(limit.rlim_max, max(limit.rlim_cur, count))
    try #require(setrlimit(resource, &limit) == 0)
    try #require(limit.rlim_cur >= count, "no more than \(limit.rlim_max) descriptors are allowed")
}
