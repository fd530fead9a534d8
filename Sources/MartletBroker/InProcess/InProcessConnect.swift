/// What a client in this process says of who it is.
public enum InProcessCredentials: Sendable {
    /// The name of a user of the configuration, and the password in clear.
    case user(String, password: String)
    /// The `token` of the configuration.
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
        let request = ConnectRequest(
            name: name, credentials: credentials, echo: echo, hasHeaders: connection.takesHeaders)
        try await connection.sendAndWait(ClientLine.connect(request))
        return client
    }

    static var notRunning: BrokerError {
        BrokerError(.notRunning, "the broker does not run")
    }
}
