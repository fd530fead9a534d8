import MartletBroker
import Synchronization

/// Answers what users of the system account ask the server: `$SYS.REQ.SERVER.<id>.RULESZ` and the like
/// for each endpoint that has such a name, and `$SYS.REQ.SERVER.PING.RULESZ`, which goes to every server.
public final class SystemRequests: Sendable {
    private let monitor: Monitor
    private var broker: Broker { monitor.broker }
    private let lastAnswer = Atomic<Int>(0)

    /// Answers with what `monitor` knows, whether or not that serves HTTP.
    public init(_ monitor: Monitor) {
        self.monitor = monitor
    }

    /// Begins to answer, if there is a system account; until the broker stops.
    public func start() throws(BrokerError) {
        guard let account = broker.configuration.systemAccountName else { return }
        for endpoint in MonitorEndpoint.all {
            guard let name = endpoint.systemName else { continue }
            for server in [broker.serverID, "PING"] {
                try broker.respond(
                    to: "$SYS.REQ.SERVER.\(server).\(name)", inAccount: account
                ) { [self] request in
                    try await answer(to: request.payload, endpoint).map { HandlerReply($0) }
                }
            }
        }
    }

    /// nil where the request is for other servers.
    private func answer(
        to payload: [UInt8], _ endpoint: MonitorEndpoint
    ) async throws -> [UInt8]? {
        guard case .document(let make) = endpoint.answer else { return nil }
        var answer = SystemAnswer(broker)
        do {
            guard try SystemRequestFilter(payload).fits(broker) else { return nil }
            answer.data = try await make(monitor, MonitorQuery())
        } catch let failure as QueryFailure {
            answer.error = SystemAnswer.Failure(code: 400, description: failure.message)
        }
        answer.server.seq = lastAnswer.wrappingAdd(1, ordering: .relaxed).newValue
        let json = try answer.json
        if json.count <= broker.configuration.limits.payloadBytesMax { return json }
        answer.data = nil
        answer.error = SystemAnswer.Failure(
            code: 413, description: "the answer is larger than max_payload; \(endpoint.path) has it"
        )
        return try answer.json
    }
}
