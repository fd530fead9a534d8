import Logging
import MartletBroker
public actor Monitor {
    public init(broker: Broker, logger: Logger) {}
    public func start(host: String, port: Int) async throws -> Int { port }
    public func stop() async {}
}
