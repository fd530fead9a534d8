/// What a client may write where a subject goes: it finds a bad one before the server does, which would
/// close the connection, or read another command.
package enum SubjectCheck {
    /// Throws `.subject` for what cannot be published to.
    package static func forPublish(_ subject: String) throws(BrokerError) {
        guard isOneWord(subject), unsafe check(subject, Subject.isValidForPublish) else {
            throw BrokerError(.subject, "\"\(subject)\" is no subject to publish to")
        }
    }

    /// Throws `.subject` for what cannot be subscribed to.
    package static func forSubscription(_ subject: String) throws(BrokerError) {
        guard isOneWord(subject), unsafe check(subject, Subject.isValidForSubscription) else {
            throw BrokerError(.subject, "\"\(subject)\" is no subject to subscribe to")
        }
    }

    /// Throws `.subject` for what cannot be the name of a queue group.
    package static func forQueue(_ queue: String) throws(BrokerError) {
        guard isOneWord(queue) else {
            throw BrokerError(.subject, "\"\(queue)\" is no name of a queue")
        }
    }

    /// White space and control characters would end the word, or the line, on the wire.
    private static func isOneWord(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > .space && $0 != 0x7F }
    }

    private static func check(_ subject: String, _ isValid: (Bytes, Int) -> Bool) -> Bool {
        var copy = subject
        return copy.withUTF8 { bytes in
            guard let start = bytes.baseAddress else { return false }
            return unsafe isValid(start, bytes.count)
        }
    }
}
