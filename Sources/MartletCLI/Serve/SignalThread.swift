import Glibc
import MartletBroker

/// Receives the process's signals on a thread of its own, so that what they start may wait and log.
enum SignalThread {
    static let handled: [Int32: String] = [
        SIGINT: "interrupt", SIGTERM: "terminated", SIGHUP: "hangup",
        SIGQUIT: "quit", SIGUSR1: "user defined signal 1", SIGUSR2: "user defined signal 2",
    ]
    /// What SIGUSR1 is passed on as. That one stays unblocked: the runtime's crash handler stops the
    /// other threads by it, and waits half a minute for any that does not take it.
    private static let reopening = __libc_current_sigrtmin()

    /// Before any other thread starts: all of them inherit the mask.
    static func blockSignals() {
        var set = signalSet()
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        signal(SIGPIPE, SIG_IGN)
        var passOn = sigaction()
        // Both calls may be made in a signal's handler.
        unsafe passOn.__sigaction_handler.sa_handler = { _ in
            kill(getpid(), __libc_current_sigrtmin())
        }
        passOn.sa_flags = SA_RESTART
        unsafe sigaction(SIGUSR1, &passOn, nil)
    }

    static func start(_ handle: @escaping @Sendable (Int32) -> Void) throws {
        _ = try NativeThread(name: "signals") {
            var set = signalSet()
            while true {
                var number: Int32 = 0
                guard unsafe sigwait(&set, &number) == 0 else { continue }
                handle(number == reopening ? SIGUSR1 : number)
            }
        }
    }

    private static func signalSet() -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in handled.keys where number != SIGUSR1 { unsafe sigaddset(&set, number) }
        unsafe sigaddset(&set, reopening)
        return set
    }
}
