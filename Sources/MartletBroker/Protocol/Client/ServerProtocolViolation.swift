/// What no server of this protocol sends. The stream cannot be read on from there.
package enum ServerProtocolViolation: Error, BitwiseCopyable, CustomStringConvertible {
    case lineTooLong
    case lineEnd
    case unknownVerb
    case messageLine
    case messageTooLarge
    case messageEnd
    case info

    /// What the server sent instead.
    package var description: String {
        switch self {
        case .lineTooLong: "a line of more than \(ServerFrame.lineBytesMax) bytes"
        case .lineEnd: "a line that does not end in CR LF"
        case .unknownVerb: "a line that begins with no verb of the protocol"
        case .messageLine: "a message line that makes no sense"
        case .messageTooLarge: "a message of more than \(ServerFrame.messageBytesMax) bytes"
        case .messageEnd: "a message that does not end in CR LF"
        case .info: "an INFO that is no JSON object"
        }
    }
}
