import Synchronization

/// What a client in this process says of who it is.
public enum InProcessCredentials: Sendable {
    case user(String, password: String)
    case token(String)
}

extension Broker {
    /// Connects from within the process, without a socket; also with `dontListen`.
    ///
    /// As with nats-server, such a connection has no privileges: where the configuration asks for
    /// credentials, it needs them. Throws `.notRunning` before `start()` and after `stop()`, and
    /// `.authorization` when the credentials are wrong.
    ///
    /// - Parameters:
    ///   - name: shown in /connz.
    ///   - echo: whether the client's own subscriptions get what it publishes.
    public func connect(
        name: String = "", credentials: InProcessCredentials? = nil, echo: Bool = true
    ) async throws(BrokerError) -> InProcessClient {
        try await connect(name: name, credentials: credentials, echo: echo, pipeBytes: 1 << 20)
    }

    func connect(
        name: String, credentials: InProcessCredentials?, echo: Bool, pipeBytes: Int,
        loop: Int? = nil
    ) async throws(BrokerError) -> InProcessClient {
        guard isRunning else { throw Self.notRunning }
        let place = PipePlace(on: loop, of: shared)
        let connection = InProcessConnection(
            controlLineBytesMax: configuration.limits.controlLineBytesMax, capacity: pipeBytes
        ) { place.wakeLoop() }
        guard place.give(connection.pipe) else { throw Self.notRunning }
        Task { await connection.read() }
        let client = InProcessClient(connection)
        try await connection.hello.wait()
        let options = InProcessConnection.connectOptions(
            name: name, credentials: credentials, echo: echo,
            hasHeaders: connection.state.withLock { $0.hasHeaders })
        try await connection.sendAndWait("CONNECT \(options)\r\n")
        return client
    }

    static var notRunning: BrokerError {
        BrokerError(.notRunning, "the broker does not run")
    }
}

extension InProcessConnection {
    /// The JSON of CONNECT.
    static func connectOptions(
        name: String, credentials: InProcessCredentials?, echo: Bool, hasHeaders: Bool
    ) -> String {
        var fields = [
            "\"verbose\":false", "\"pedantic\":false", "\"lang\":\"martlet\"",
            "\"version\":\"\(Broker.version)\"", "\"protocol\":1", "\"echo\":\(echo)",
            "\"headers\":\(hasHeaders)", "\"no_responders\":\(hasHeaders)",
            "\"name\":\(ServerInfo.quoted(name))",
        ]
        switch credentials {
        case .user(let user, let password):
            fields.append("\"user\":\(ServerInfo.quoted(user))")
            fields.append("\"pass\":\(ServerInfo.quoted(password))")
        case .token(let token): fields.append("\"auth_token\":\(ServerInfo.quoted(token))")
        case nil: break
        }
        return "{\(fields.joined(separator: ","))}"
    }
}

/// Which loop has a pipe, and where, once the loop has taken it.
final class PipePlace: Sendable {
    private let packed = Atomic<UInt64>(.max)
    private let shared: BrokerShared
    private let loop: Int
    private let mail: Mailbox<LoopCommand>
    /// The loop was chosen for having few connections: this one counts until it is among them.
    private let isCounted: Bool

    /// On the loop with the fewest connections when none is named.
    init(on loop: Int?, of shared: BrokerShared) {
        self.shared = shared
        isCounted = loop == nil
        self.loop = loop ?? shared.loopForNextConnection()
        mail = shared.loops[self.loop].mail
    }

    /// False when the loop is gone.
    func give(_ pipe: MemoryPipe) -> Bool {
        mail.post(
            .adoptPipe(pipe, id: shared.nextConnectionID(), name: "in-process") { self.set($0) })
    }

    private func set(_ handle: SlabHandle) {
        packed.store(
            UInt64(handle.index) | UInt64(handle.generation) << 32,
            ordering: .sequentiallyConsistent)
        guard isCounted else { return }
        shared.loops[loop].connectionsUnderWay.wrappingSubtract(1, ordering: .relaxed)
    }

    /// Before the loop has the pipe there is nobody to tell; it looks when it takes it.
    func wakeLoop() {
        if let handle { mail.post(.pipeMoved(handle)) }
    }

    private var handle: SlabHandle? {
        let value = packed.load(ordering: .sequentiallyConsistent)
        guard value != .max else { return nil }
        return SlabHandle(
            index: UInt32(truncatingIfNeeded: value),
            generation: UInt32(truncatingIfNeeded: value >> 32))
    }
}
