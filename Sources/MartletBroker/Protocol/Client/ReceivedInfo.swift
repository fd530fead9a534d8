/// What a client goes by in the INFO of a server, which comes first, and again when something has
/// changed. What an INFO does not say is nil.
package struct ReceivedInfo: Equatable, Sendable {
    /// Bytes of the largest message, headers included.
    package var payloadBytesMax: Int?
    package var hasHeaders: Bool?
    package var requiresTLS: Bool?

    package init() {}

    /// What a later one says counts.
    package mutating func adopt(_ newer: ReceivedInfo) {
        payloadBytesMax = newer.payloadBytesMax ?? payloadBytesMax
        hasHeaders = newer.hasHeaders ?? hasHeaders
        requiresTLS = newer.requiresTLS ?? requiresTLS
    }

    init(_ json: Bytes, _ count: Int) throws(ServerProtocolViolation) {
        var reader = unsafe JSONReader(json, count)
        guard case .object(let members)? = reader.document() else { throw .info }
        for (name, value) in members {
            switch (name, value) {
            case ("max_payload", .number(let text)): payloadBytesMax = Int(text)
            case ("headers", .bool(let value)): hasHeaders = value
            case ("tls_required", .bool(let value)): requiresTLS = value
            default: break
            }
        }
    }
}
