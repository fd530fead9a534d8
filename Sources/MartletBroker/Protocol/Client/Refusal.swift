extension BrokerError {
    /// What a server's -ERR means: the code by its text, which is the message.
    init(refusal text: String) {
        let code: Code =
            if text.hasPrefix("Authori") || text.hasPrefix("Authentication") {
                .authorization
            } else if text.hasPrefix("Permissions Violation") {
                .permission
            } else if text.hasPrefix("Invalid") {
                .subject
            } else {
                .connectionClosed
            }
        self.init(code, text)
    }
}
