/// Why a connection was closed, with the text that /connz shows (nats-server's ClosedState).
enum CloseReason: UInt8 {
    case clientClosed
    case authenticationTimeout
    case authenticationViolation
    case slowConsumerPendingBytes
    case slowConsumerWriteDeadline
    case writeError
    case readError
    case parseError
    case staleConnection
    case protocolViolation
    case badClientProtocolVersion
    case maxConnectionsExceeded
    case maxPayloadExceeded
    case maxControlLineExceeded
    case noRespondersRequiresHeaders
    case serverShutdown
    /// The system had no memory for what it asked, or what it should get.
    case outOfMemory

    var text: String {
        switch self {
        case .clientClosed: "Client Closed"
        case .authenticationTimeout: "Authentication Timeout"
        case .authenticationViolation: "Authentication Failure"
        case .slowConsumerPendingBytes: "Slow Consumer (Pending Bytes)"
        case .slowConsumerWriteDeadline: "Slow Consumer (Write Deadline)"
        case .writeError: "Write Error"
        case .readError: "Read Error"
        case .parseError: "Parse Error"
        case .staleConnection: "Stale Connection"
        case .protocolViolation: "Protocol Violation"
        case .badClientProtocolVersion: "Bad Client Protocol Version"
        case .maxConnectionsExceeded: "Maximum Connections Exceeded"
        case .maxPayloadExceeded: "Maximum Message Payload Exceeded"
        case .maxControlLineExceeded: "Maximum Control Line Exceeded"
        case .noRespondersRequiresHeaders: "No Responders Requires Headers"
        case .serverShutdown: "Server Shutdown"
        case .outOfMemory: "Out Of Memory"
        }
    }
}
