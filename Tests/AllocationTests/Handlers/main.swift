import Glibc
import Logging
import MartletBroker

// A shell that starts its tests in the background has SIGINT ignored, which is how they end it.
signal(SIGINT, SIG_DFL)

// Takes the flags of the executable that concern it; the address is what all tests use.
let flags = CommandLine.arguments
var configuration = BrokerConfiguration()
configuration.host = "127.0.0.1"
configuration.port = -1
// A turn that takes long on a busy machine is logged, and a log line allocates.
configuration.tuning.stallThresholdNanoseconds = 60_000_000_000
if let flag = flags.firstIndex(of: "--loops"), flag + 1 < flags.count {
    configuration.loopCount = Int(flags[flag + 1])
}
let broker = try Broker(
    configuration: configuration, logger: Logger(label: "allocation-handlers"))
try broker.start()
try CountedHandlers.add(to: broker)
Logger(label: "allocation-handlers").info("Server is ready")
await broker.waitUntilStopped()
