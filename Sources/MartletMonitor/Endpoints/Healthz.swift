import MartletBroker

extension MonitorEndpoint {
    static let healthz = MonitorEndpoint(
        path: "/healthz", isIndented: false, answer: .document { try Healthz($0.broker, $1) })
}

/// A document that says by its status too what it tells.
protocol DocumentWithStatus: Encodable {
    var httpStatus: Int { get }
}

/// `/healthz`: whether clients can connect, asked of nobody: it waits for no loop and no other request.
struct Healthz: DocumentWithStatus {
    let isHealthy: Bool
    let showsDetails: Bool

    private struct Failure: Encodable {
        let type = "CONNECTION"
        let error: String
    }

    private enum Key: CodingKey {
        case status, error, errors
    }

    /// nats-server's, which has looked for a millisecond.
    private static let failure = "failed to be ready for connections after 1ms: server"

    init(_ broker: Broker, _ query: MonitorQuery) throws(QueryFailure) {
        isHealthy = !broker.isLameDuck
        showsDetails = try query.boolean("details")
    }

    var httpStatus: Int { isHealthy ? 200 : 500 }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(isHealthy ? "ok" : "error", forKey: .status)
        guard !isHealthy else { return }
        if showsDetails {
            try values.encode([Failure(error: Self.failure)], forKey: .errors)
        } else {
            try values.encode(Self.failure, forKey: .error)
        }
    }
}
