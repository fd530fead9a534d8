import Logging
import MartletBroker

/// The first lines of the log, in nats-server's order: scripts wait for what follows them.
struct StartReport {
    let broker: Broker
    let logger: Logger

    func write() {
        let configuration = broker.configuration
        let snapshot = broker.snapshot()
        logger.info("Starting martlet")
        logger.info("  Version:  \(Broker.compatibleVersion)")
        logger.info("  Git:      [not set]")
        logger.info("  Name:     \(snapshot.serverName)")
        logger.info("  ID:       \(snapshot.serverID)")
        logger.info("  Martlet:  \(Broker.version)")
        if configuration.authorization.usesPlaintextPasswords {
            logger.warning("Plaintext passwords detected, use bcrypt")
        }
        if let file = configuration.configurationFile {
            let digest = configuration.configurationDigest.map { "(\($0))" } ?? ""
            logger.info("Using configuration file: \(file) \(digest)")
        }
        if configuration.limits.payloadBytesMax > 8 << 20 {
            logger.warning(
                """
                Maximum payloads over 8.00 MB are generally discouraged and could lead to poor \
                performance
                """)
        }
    }

    static func listenFailure(
        _ error: BrokerError, _ configuration: BrokerConfiguration
    ) -> String {
        guard error.code == .listen, !error.message.hasPrefix("Error listening") else {
            return error.message
        }
        let address = HostAndPort(host: configuration.host, port: configuration.port)
        return "Error listening on port: \(address), \"\(error.message)\""
    }
}
