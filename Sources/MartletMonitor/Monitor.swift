import FoundationEssentials
import Logging
import MartletBroker

/// The monitoring port: nats-server's endpoints over HTTP, from snapshots of a broker.
///
/// It has a thread and limits of its own, so that no HTTP client can slow the broker down.
public final class Monitor: Sendable {
    private struct State {
        var listener: HTTPListener?
        var requestCounts: [String: Int] = [:]
        var configurationLoadedAt: UInt64 = 0
    }

    private let broker: Broker
    private let logger: Logger
    private let usage = ProcessUsage()
    private let state = Guarded(State())

    public init(broker: Broker, logger: Logger) {
        self.broker = broker
        self.logger = logger
    }

    /// Listens and serves; logs the address.
    ///
    /// - Parameter port: -1 or 0 take any free one.
    /// - Returns: the port that it listens on.
    @discardableResult
    public func start(host: String, port: Int) throws(MonitorError) -> Int {
        let listener = try HTTPListener(host: host, port: max(0, port)) { [weak self] request in
            await self?.answer(request) ?? .text("stopping", status: 503)
        }
        state.withLock {
            $0.listener = listener
            $0.configurationLoadedAt = broker.snapshot().startedAt
        }
        let shown = host.contains(":") ? "[\(host)]" : host
        logger.info("Starting http monitor on \(shown):\(listener.port)")
        return listener.port
    }

    /// Closes the port and its connections; returns when that is done.
    public func stop() {
        let listener = state.withLock { state in
            defer { state.listener = nil }
            return state.listener
        }
        listener?.stop()
    }

    /// Tells /varz that the configuration was loaded again just now.
    public func recordReload() {
        let now = broker.snapshot().now
        state.withLock { $0.configurationLoadedAt = now }
    }

    func answer(_ request: HTTPRequest) async -> HTTPResponse {
        guard request.method == "GET" || request.method == "HEAD" else {
            var response = HTTPResponse.text("405 Method Not Allowed", status: 405)
            response.fields = [("Allow", "GET, HEAD")]
            return response
        }
        guard let endpoint = endpoint(of: request.path) else { return .notFound }
        let counted = endpoint == "/subscriptionsz" ? "/subsz" : endpoint
        state.withLock { $0.requestCounts[counted, default: 0] += 1 }
        do {
            return try await respond(to: request, endpoint: endpoint)
        } catch let failure as QueryFailure {
            return .text(failure.message, status: 400)
        } catch {
            logger.error("Monitoring could not answer \(request.path): \(error)")
            return .text("500 Internal Server Error", status: 500)
        }
    }

    /// The path less the configured prefix; nil if it is not below that.
    private func endpoint(of path: String) -> String? {
        let base = Self.basePath(broker.configuration.monitoring.basePath)
        guard path.hasPrefix(base) else { return nil }
        let rest = String(path.dropFirst(base.count))
        return rest.isEmpty ? "/" : rest
    }

    static func basePath(_ configured: String) -> String {
        let words = configured.split(separator: "/")
        return words.isEmpty ? "" : "/" + words.joined(separator: "/")
    }
}

extension Monitor {
    private func respond(to request: HTTPRequest, endpoint: String) async throws -> HTTPResponse {
        switch endpoint {
        case "/": return index()
        case "/varz": return try json(varz(), for: request)
        case "/connz": return try json(await connz(request), for: request)
        case "/subsz", "/subscriptionsz": return try json(await subsz(request), for: request)
        case "/rulesz": return try json(Rulesz(broker), for: request)
        case "/metrics":
            return HTTPResponse(
                contentType: "text/plain; version=0.0.4; charset=utf-8",
                body: Array(RuleMetrics.text(broker.rulesSnapshot()).utf8))
        case "/healthz": return try json(["status": "ok"], for: request, isPretty: false)
        default: return .notFound
        }
    }

    private func index() -> HTTPResponse {
        let base = Self.basePath(broker.configuration.monitoring.basePath)
        let html = IndexPage.html(basePath: base, serverName: broker.snapshot().serverName)
        return HTTPResponse(contentType: "text/html; charset=utf-8", body: Array(html.utf8))
    }

    private func varz() -> Varz {
        let (counts, loadedAt, port) = state.withLock {
            ($0.requestCounts, $0.configurationLoadedAt, $0.listener?.port ?? 0)
        }
        return Varz(
            snapshot: broker.snapshot(), configuration: broker.configuration, httpPort: port,
            requestCounts: counts, configurationLoadedAt: loadedAt,
            processorPercent: usage.processorPercent)
    }

    private func connz(_ request: HTTPRequest) async throws -> Connz {
        let query = try ConnzQuery(request)
        var candidates: [ConnectionSnapshot] = []
        if query.state != .closed {
            candidates += await broker.connectionSnapshots(
                subscriptions: query.needsSubscriptions, closed: false)
        }
        if query.state != .open {
            candidates += await broker.connectionSnapshots(
                subscriptions: query.needsSubscriptions, closed: true)
        }
        let snapshot = broker.snapshot()
        return Connz(
            query, serverID: snapshot.serverID, now: snapshot.now, candidates: candidates)
    }

    private func subsz(_ request: HTTPRequest) async throws -> Subsz {
        let query = try Subsz.Query(request)
        var subscriptions: [SubscriptionSnapshot] = []
        if query.listsSubscriptions {
            let connections = await broker.connectionSnapshots(subscriptions: true, closed: false)
            subscriptions = connections.sorted { $0.id < $1.id }.flatMap(\.subscriptions)
        }
        let snapshot = broker.snapshot()
        return Subsz(
            query: query, serverID: snapshot.serverID, now: snapshot.now,
            routing: broker.routingSnapshot(), subscriptions: subscriptions)
    }

    private func json(
        _ value: some Encodable, for request: HTTPRequest, isPretty: Bool = true
    ) throws -> HTTPResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let compact = Array(try encoder.encode(value))
        let body = isPretty ? JSONLayout.indented(compact) : compact
        let callback = request.value("callback")
        guard !callback.isEmpty else { return .json(body) }
        // The name ends up in a script, so it must be a name.
        guard callback.utf8.count <= 128, callback.allSatisfy(Self.isCallbackCharacter) else {
            throw QueryFailure(message: "Error decoding callback: not a name")
        }
        return HTTPResponse(
            contentType: "application/javascript",
            body: Array("\(callback)(".utf8) + body + Array(")".utf8))
    }

    private static func isCallbackCharacter(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "_$.".contains(character))
    }
}
