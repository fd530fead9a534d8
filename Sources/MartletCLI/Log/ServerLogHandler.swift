import Logging

/// swift-log's door to `ServerLog`. Debug and trace are switches of their own, as in nats-server:
/// `-V` without `-D` logs traces and no debugging lines.
struct ServerLogHandler: LogHandler {
    let log: ServerLog
    var metadata: Logger.Metadata = [:]

    init(log: ServerLog) { self.log = log }

    /// Follows the settings, so that a reload reaches every copy of the logger.
    var logLevel: Logger.Level {
        get { log.trace ? .trace : log.debug ? .debug : .info }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        if event.level == .debug, !log.debug { return }
        if event.level == .trace, !log.trace { return }
        var text = event.message.description
        let facts = metadata.merging(event.metadata ?? [:]) { _, new in new }
        for (key, value) in facts.sorted(by: { $0.key < $1.key }) {
            text += " \(key)=\(value)"
        }
        log.write(LogLabel(event.level), text)
    }
}
