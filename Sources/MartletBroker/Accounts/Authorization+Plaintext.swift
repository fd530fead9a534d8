extension BrokerConfiguration.Authorization {
    /// A password stands in clear in the configuration, which is worth a warning. As for nats-server, tokens
    /// do not count.
    public var usesPlaintextPasswords: Bool {
        if let password, !PasswordCheck.isHash(password) { return true }
        return users.contains { !PasswordCheck.isHash($0.password) }
    }
}
