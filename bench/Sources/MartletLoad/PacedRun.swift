import Glibc

/// Sends messages at the moments they are due, whether or not earlier ones have arrived, so that a
/// server which stops for a while is charged for all that it delayed.
struct PacedRun {
    let turns: Turns
    let rate: Double
    let warmUpSeconds: Double
    let seconds: Double
    /// How often each message is received.
    let copies: Int

    /// Sleeping is left this early, because waking up takes its time.
    private static let spinNanoseconds: UInt64 = 80_000
    /// Messages sent before the links are read again.
    private static let sendsPerTurn = 128
    /// Waited for messages still under way at the end.
    private static let graceNanoseconds: UInt64 = 2_000_000_000

    /// `send` queues message `k`; `answer` is told of what comes in, and says whether that is an arrival.
    func run(
        send: (_ k: Int, _ due: UInt64) -> Void,
        arrives: (Link, Message) throws -> Bool
    ) throws -> Report {
        let begin = nanosecondsNow() + 1_000_000
        let measureStart = begin + UInt64(warmUpSeconds * 1e9)
        let end = measureStart + UInt64(seconds * 1e9)
        var recorder = Recorder(start: measureStart, end: end)
        let interval = 1e9 / rate
        let total = Int(Double(end - begin) / interval)
        let processorBefore = processorTime()
        var k = 0
        while true {
            var now = nanosecondsNow()
            let first = k
            while k < total, k - first < Self.sendsPerTurn {
                let due = begin + UInt64(Double(k) * interval)
                guard due <= now else { break }
                send(k, due)
                k += 1
            }
            // Late until the write starts: within it, loopback has the receiver run already.
            if k > first { now = nanosecondsNow() }
            for sent in first..<k {
                recorder.noteSent(due: begin + UInt64(Double(sent) * interval), at: now)
            }
            try turns.flush()
            if k == total,
                recorder.received == recorder.sent * copies || now > end + Self.graceNanoseconds
            {
                break
            }
            let next = k < total ? begin + UInt64(Double(k) * interval) : now + 1_000_000
            try turns.receive(
                waiting: next > now + Self.spinNanoseconds ? next - now - Self.spinNanoseconds : 0
            ) {
                link, message, moment in
                guard try arrives(link, message) else { return }
                recorder.noteReceived(due: dueMoment(message), at: moment)
            }
        }
        var report = Report()
        report.add("rate", rate)
        report.add("lost", recorder.sent * copies - recorder.received)
        report.add(recorder)
        report.addProcessorShare(from: processorBefore, over: nanosecondsNow() - begin)
        return report
    }
}

/// Every payload starts with the moment it was due.
@inline(__always)
func dueMoment(_ message: Message) -> UInt64 {
    unsafe UnsafeRawPointer(message.payload).loadUnaligned(as: UInt64.self)
}
