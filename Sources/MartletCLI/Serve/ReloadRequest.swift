import Glibc
import MartletBroker

/// A reload that somebody waits for: a queued signal brings a number, and the answer goes to the socket of
/// that name, as one datagram.
///
/// Nothing is taken from a stranger by this: only root and the server's own user can signal it, the number
/// is random, and the kernel tells who has answered.
struct ReloadRequest {
    /// No SIGHUP, since of several that come at once only one would arrive. It follows the one that
    /// `SignalThread` passes SIGUSR1 on as.
    static let signal = __libc_current_sigrtmin() + 1

    private let token: UInt

    /// A new one.
    init() { token = .random(in: 1 ... .max) }

    /// The one that a signal brought; nil if nobody waits.
    init?(_ information: siginfo_t) {
        guard unsafe Int(information.si_code) == SI_QUEUE else { return nil }
        token = unsafe UInt(bitPattern: information._sifields._rt.si_sigval.sival_ptr)
        if token == 0 { return nil }
    }

    private var address: SocketAddress {
        SocketAddress(path: "\0martlet-reload-" + String(token, radix: 16))
    }

    // MARK: The server

    /// Throws if who asked is gone, or does not read.
    func answer(_ answer: ReloadAnswer) throws(SystemFailure) {
        let descriptor = try Connector.begin(address, .datagram)
        defer { close(descriptor) }
        let bytes = answer.bytes
        let count = unsafe bytes.withUnsafeBytes {
            unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        guard count == bytes.count else { throw SystemFailure("send") }
    }

    // MARK: The command

    /// Asks a server and waits for what comes of it. Throws if the server cannot be asked, ends, or takes
    /// longer than `limit`.
    func ask(_ process: pid_t, limit: Duration) throws(CommandFailure) -> ReloadAnswer {
        let receiver = try asked(process)
        return try answer(of: process, in: receiver, limit)
    }

    private func asked(_ process: pid_t) throws(CommandFailure) -> DatagramReceiver {
        do throws(SystemFailure) {
            let receiver = try DatagramReceiver(at: address)
            try signal(process)
            return receiver
        } catch {
            throw CommandFailure(description: SystemError.text(error.code))
        }
    }

    private func signal(_ process: pid_t) throws(SystemFailure) {
        var value = unsafe sigval()
        unsafe value.sival_ptr = UnsafeMutableRawPointer(bitPattern: token)
        guard unsafe sigqueue(process, Self.signal, value) == 0 else {
            throw SystemFailure("sigqueue")
        }
    }

    private func answer(
        of process: pid_t, in receiver: borrowing DatagramReceiver, _ limit: Duration
    ) throws(CommandFailure) -> ReloadAnswer {
        let end = ContinuousClock.now + limit
        while ContinuousClock.now < end {
            // Looked at first, since it may answer and then end.
            let hasEnded = kill(process, 0) != 0 && errno == ESRCH
            let datagram = receiver.receive(
                atMost: ReloadAnswer.bytesMax + 1, withinMilliseconds: 100)
            if let datagram, datagram.sender == process,
                let answer = ReloadAnswer(datagram.bytes)
            {
                return answer
            }
            if hasEnded, datagram == nil {
                throw CommandFailure(description: "it has ended without an answer")
            }
        }
        throw CommandFailure(
            description: "no answer within \(limit); its log tells what comes of it")
    }
}
