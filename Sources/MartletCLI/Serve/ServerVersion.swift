/// The versions that the executable names.
enum ServerVersion {
    /// The nats-server version whose protocol and flags this one follows; clients parse it.
    static let compatible = "2.14.0"
    /// Martlet's own.
    static let martlet = "0.1.0"
}
