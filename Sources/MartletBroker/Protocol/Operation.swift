/// The protocol verbs a client sends.
enum Verb: UInt8 {
    case publish
    case publishWithHeader
    case subscribe
    case unsubscribe
    case ping
    case pong
    case connect
    /// Tolerated when it is JSON; means nothing.
    case info
    /// +OK: means nothing.
    case ignored
    /// -ERR from a client: it is told nothing and closed.
    case error
}

/// What the parser found: places in the receive buffer, no copies.
struct Operation: BitwiseCopyable {
    var verb = Verb.ignored
    /// Everything after the verb and its white space, without the line's end.
    var argument = ByteRange.empty
    /// PUB, HPUB, SUB.
    var subject = ByteRange.empty
    /// PUB, HPUB; empty without one.
    var reply = ByteRange.empty
    /// SUB; empty without one.
    var queue = ByteRange.empty
    /// SUB, UNSUB.
    var sid = ByteRange.empty
    /// The digits as sent: they are echoed to subscribers (`005` stays `005`).
    var headerDigits = ByteRange.empty
    var sizeDigits = ByteRange.empty
    /// Bytes of the header block; -1 for a message without one.
    var headerBytes = -1
    /// Bytes of header block and payload together.
    var totalBytes = 0
    /// UNSUB's maximum; 0 means at once.
    var deliveredMax = 0
    /// `[reply ][header ]size CR LF` stands in the buffer exactly as subscribers get it.
    var tail = ByteRange.empty
    var hasCanonicalTail = false
    /// Where the payload starts and the operation ends, in the buffer.
    var payloadStart = 0
    var end = 0
}

/// Why a peer's bytes end its connection.
enum ProtocolViolation: UInt8, Error {
    /// A byte that no verb allows there; answered with -ERR 'Unknown Protocol Operation'.
    case unknownOperation
    /// Arguments of the wrong number or form; closed without a word, as nats-server does.
    case badArguments
    case controlLineTooLong
    case payloadTooLarge
    /// HPUB from a client that did not ask for headers.
    case headersNotSupported
}

enum ParseStatus {
    /// `operation` is whole; go on at its `end`.
    case complete
    /// More bytes are needed; `compactedStart` says what to keep.
    case incomplete
    /// A publish whose payload is large: its control line is whole, the payload is read apart.
    case largePayload
    case violation(ProtocolViolation)
}
