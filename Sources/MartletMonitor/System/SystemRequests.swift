import MartletBroker
import Synchronization

/// Answers what users of the system account ask the server: `$SYS.REQ.SERVER.<id>.RULESZ`, and
/// `$SYS.REQ.SERVER.PING.RULESZ`, which goes to every server.
public final class SystemRequests: Sendable {
    private let broker: Broker
    private let lastAnswer = Atomic<Int>(0)

    public init(broker: Broker) {
        self.broker = broker
    }

    /// Begins to answer, if there is a system account; until the broker stops.
    public func start() throws(BrokerError) {
        guard let account = broker.configuration.systemAccountName else { return }
        for server in [broker.serverID, "PING"] {
            try broker.respond(
                to: "$SYS.REQ.SERVER.\(server).RULESZ", inAccount: account
            ) { [self] request in
                guard let reply = try answer(to: request.payload) else { return }
                try request.reply(reply)
            }
        }
    }

    /// nil where the request is for other servers.
    private func answer(to payload: [UInt8]) throws -> [UInt8]? {
        var answer = SystemAnswer(broker)
        do {
            guard try SystemRequestFilter(payload).fits(broker) else { return nil }
            answer.data = Rulesz(broker)
        } catch let failure as QueryFailure {
            answer.error = SystemAnswer.Failure(code: 400, description: failure.message)
        }
        answer.server.seq = lastAnswer.wrappingAdd(1, ordering: .relaxed).newValue
        let json = try answer.json
        if json.count <= broker.configuration.limits.payloadBytesMax { return json }
        answer.data = nil
        answer.error = SystemAnswer.Failure(
            code: 413, description: "the answer is larger than max_payload; /rulesz has it")
        return try answer.json
    }
}
