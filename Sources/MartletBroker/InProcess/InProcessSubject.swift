/// What a client in this process may write where a subject goes.
enum InProcessSubject {
    static func checkForPublish(_ subject: String) throws(BrokerError) {
        guard isOneWord(subject), unsafe check(subject, Subject.isValidForPublish) else {
            throw BrokerError(.subject, "\"\(subject)\" is no subject to publish to")
        }
    }

    static func checkForSubscription(_ subject: String) throws(BrokerError) {
        guard isOneWord(subject), unsafe check(subject, Subject.isValidForSubscription) else {
            throw BrokerError(.subject, "\"\(subject)\" is no subject to subscribe to")
        }
    }

    static func checkQueue(_ queue: String) throws(BrokerError) {
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
