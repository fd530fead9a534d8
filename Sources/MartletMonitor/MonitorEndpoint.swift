/// Something that monitoring can be asked for: over HTTP, and, where it has a name there, in a request that
/// a user of the system account publishes.
struct MonitorEndpoint: Sendable {
    enum Answer: Sendable {
        /// A value that goes out as JSON. Throws `QueryFailure` for a query that it cannot read.
        case document(@Sendable (Monitor, MonitorQuery) async throws -> any Encodable)
        /// Text for a browser or a collector of metrics, over HTTP alone.
        case page(contentType: String, @Sendable (Monitor) -> String)
    }

    /// Below the configured prefix. /varz counts requests under this name.
    let path: String
    /// Serves as well.
    var otherPath: String?
    /// The last token of `$SYS.REQ.SERVER.<id>.<name>`; nil where only HTTP has it.
    var systemName: String?
    /// Over HTTP with line breaks, as nats-server lays its documents out.
    var isIndented = true
    /// Its answer takes snapshots of connections, which every loop has to make: it waits for its turn.
    var asksLoops = false
    let answer: Answer

    /// In the order in which the index page lists them.
    static let all: [MonitorEndpoint] = [
        .index, .varz, .connz, .subsz, .rulesz, .metrics, .healthz,
    ]

    static func at(_ path: String) -> MonitorEndpoint? {
        all.first { $0.path == path || $0.otherPath == path }
    }
}
