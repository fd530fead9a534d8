import FoundationEssentials
import MartletBroker

/// What nats-server wraps every answer to a system request in: which server answers, and either data or
/// an error.
struct SystemAnswer: Encodable {
    struct Server: Encodable {
        let name: String
        let host: String
        let id: String
        let ver: String
        let tags: [String]?
        let metadata: [String: String]?
        let jetstream: Bool
        let flags: Int
        /// Counts the server's answers.
        var seq = 0
        let time: String
    }

    struct Failure: Encodable {
        let code: Int
        let description: String
    }

    var server: Server
    var data: (any Encodable)?
    var error: Failure?

    init(_ broker: Broker) {
        let snapshot = broker.snapshot()
        let tags = broker.configuration.serverTags
        let metadata = broker.configuration.serverMetadata
        server = Server(
            name: snapshot.serverName, host: snapshot.host, id: snapshot.serverID,
            ver: snapshot.version, tags: tags.isEmpty ? nil : tags,
            metadata: metadata.isEmpty ? nil : metadata, jetstream: false, flags: 0,
            time: GoText.time(nanosecondsSince1970: snapshot.now))
    }

    private enum Key: String, CodingKey {
        case server, data, error
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(server, forKey: .server)
        if let data { try values.encode(data, forKey: .data) }
        try values.encodeIfPresent(error, forKey: .error)
    }

    var json: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return [UInt8](try encoder.encode(self))
        }
    }
}
