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

    /// - Parameter handle: takes each signal as the one of `handled` that it stands for, and who waits for
    ///   what comes of it, if that is a reload.
    static func start(_ handle: @escaping @Sendable (Int32, ReloadRequest?) -> Void) throws {
        _ = try NativeThread(name: "signals") {
            var set = signalSet()
            while true {
                var information = unsafe siginfo_t()
                let number = unsafe sigwaitinfo(&set, &information)
                guard number > 0 else { continue }
                switch number {
                case reopening: handle(SIGUSR1, nil)
                case ReloadRequest.signal: handle(SIGHUP, unsafe ReloadRequest(information))
                default: handle(number, nil)
                }
            }
        }
    }

    private static func signalSet() -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in handled.keys where number != SIGUSR1 { unsafe sigaddset(&set, number) }
        unsafe sigaddset(&set, reopening)
        unsafe sigaddset(&set, ReloadRequest.signal)
        return set
    }
}
