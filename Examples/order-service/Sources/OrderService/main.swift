import Logging
import MartletBroker

// The port is the first argument; any free one without it.
var configuration = BrokerConfiguration()
configuration.host = "127.0.0.1"
configuration.port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? -1
let broker = try Broker(configuration: configuration, logger: Logger(label: "order-service"))
try broker.start()
let service = try OrderService(on: broker)
print("nats://127.0.0.1:\(broker.clientPort)")
await broker.waitUntilStopped()
