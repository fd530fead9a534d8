import Glibc
import MartletBroker

/// Receives the process's signals on a thread of its own, so that what they start may wait and log.
enum SignalThread {
    static let handled: [Int32: String] = [
        SIGINT: "interrupt", SIGTERM: "terminated", SIGHUP: "hangup",
        SIGUSR1: "user defined signal 1", SIGUSR2: "user defined signal 2",
    ]

    /// Before any other thread starts: all of them inherit the mask.
    static func blockSignals() {
        var set = signalSet()
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
    }

    static func start(_ handle: @escaping @Sendable (Int32) -> Void) throws {
        _ = try NativeThread(name: "signals") {
            var set = signalSet()
            while true {
                var number: Int32 = 0
                if unsafe sigwait(&set, &number) == 0 { handle(number) }
            }
        }
    }

    private static func signalSet() -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in handled.keys { unsafe sigaddset(&set, number) }
        return set
    }
}
