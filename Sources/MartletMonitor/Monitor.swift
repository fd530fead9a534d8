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

    let broker: Broker
    private let logger: Logger
    private let usage = ProcessUsage()
    private let state = Guarded(State())

    /// It serves nothing until `start`.
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
        let listener = try HTTPListener(
            host: host, port: max(0, port),
            isSlow: { [weak self] in self?.endpoint(of: $0.path)?.asksLoops ?? false },
            handler: { [weak self] in
                await self?.answer($0) ?? .text("stopping", status: 503)
            })
        state.withLock {
            $0.listener = listener
            $0.configurationLoadedAt = broker.snapshot().startedAt
        }
        let place = HostAndPort(host: host, port: listener.port)
        logger.info("Starting http monitor on \(place)")
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
        if let location = request.redirect { return .redirect(to: location) }
        guard let endpoint = endpoint(of: request.path) else { return .notFound }
        // Known paths alone: who asks for others must not fill the memory with their names.
        state.withLock { $0.requestCounts[endpoint.path, default: 0] += 1 }
        do {
            return try await respond(to: request.query, endpoint)
        } catch let failure as QueryFailure {
            return .text(failure.message, status: 400)
        } catch {
            logger.error("Monitoring could not answer \(request.path): \(error)")
            return .text("500 Internal Server Error", status: 500)
        }
    }

    /// nil if the path is not below the configured prefix, or nothing is there.
    private func endpoint(of path: String) -> MonitorEndpoint? {
        let base = Self.basePath(broker.configuration.monitoring.basePath)
        guard path.hasPrefix(base) else { return nil }
        let rest = String(path.dropFirst(base.count))
        return MonitorEndpoint.at(rest.isEmpty ? "/" : rest)
    }

    static func basePath(_ configured: String) -> String {
        let words = configured.split(separator: "/")
        return words.isEmpty ? "" : "/" + words.joined(separator: "/")
    }

    func varz() -> Varz {
        let (counts, loadedAt, port) = state.withLock {
            ($0.requestCounts, $0.configurationLoadedAt, $0.listener?.port ?? 0)
        }
        return Varz(
            snapshot: broker.snapshot(), configuration: broker.configuration, httpPort: port,
            requestCounts: counts, configurationLoadedAt: loadedAt,
            processorPercent: usage.processorPercent)
    }
}

// MARK: - Over HTTP

extension Monitor {
    private func respond(
        to query: MonitorQuery, _ endpoint: MonitorEndpoint
    ) async throws -> HTTPResponse {
        switch endpoint.answer {
        case .document(let make):
            let document = try await make(self, query)
            var response = try json(
                document, isIndented: endpoint.isIndented, callback: query.value("callback"))
            if let document = document as? any DocumentWithStatus {
                response.status = document.httpStatus
            }
            return response
        case .page(let contentType, let make):
            return HTTPResponse(contentType: contentType, body: Array(make(self).utf8))
        }
    }

    private func json(
        _ value: some Encodable, isIndented: Bool, callback: String
    ) throws -> HTTPResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let compact = Array(try encoder.encode(value))
        let body = isIndented ? JSONLayout.indented(compact) : compact
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
