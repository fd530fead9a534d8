extension BrokerConfiguration {
    /// Keys of which every value that is taken asks for what happens anyhow. They are kept for a reload alone,
    /// which tells of each key that has changed.
    struct Inert: Sendable {
        var writeTimeout = "default"
        var hasNoSystemAccount = false
    }
}
