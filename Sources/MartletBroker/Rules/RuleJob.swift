import MartletRules

/// A message on its way to a worker and back.
///
/// SAFETY: `bytes` and, of a large message, `message.payload` are references that the job holds for
/// the loop; the loop lets go of them when the job is back. The worker reads them in between. `rules`
/// is retained until then.
@safe
struct RuleJob: BitwiseCopyable {
    var message: Message
    /// Subject, control line and, of a small message, payload, where `message` points to.
    var bytes: PayloadRef
    var rules: Unmanaged<ActiveRules>
    /// Where to begin.
    var rule: Int
    var clientID: UInt64
    /// Set by the worker.
    var verdict = RuleVerdict(.pass)
    var steps = 0
    var result = RuleResultBytes()

    /// Counts against `JobsOut.bytesMax`.
    var byteCount: Int { message.totalBytes }

    /// A reload may replace the rules while the job is under way: it holds on to them.
    @inline(never)
    func holdRules() { _ = unsafe rules.retain() }

    @inline(never)
    func letGoOfRules() { unsafe rules.release() }
}

/// What an evaluation wrote, in a block of the worker's, one part behind another.
struct RuleResultBytes: BitwiseCopyable {
    var buffer: PayloadRef?
    var subjectCount = 0
    var headerCount = 0
    var bodyCount = 0
    var messageCount = 0
    /// Part of the payload; -1 for all of it.
    var sliceStart = -1
    var sliceCount = 0
    /// There was no memory for what was written.
    var isLost = false
}

/// What becomes of a message, as places of bytes: in a loop's own output, or in a worker's block.
struct RuleOutcome {
    var subject: CountedBytes
    var header: CountedBytes
    var body: CountedBytes
    var message: CountedBytes
    var slice: Range<Int>?

    /// What a loop's evaluation has just written.
    init(_ output: RuleOutput) {
        subject = unsafe CountedBytes(output.subject, output.subjectCount)
        header = unsafe CountedBytes(output.header, output.headerCount)
        body = unsafe CountedBytes(output.body, output.bodyCount)
        message = unsafe CountedBytes(output.message, output.messageCount)
        slice = output.slice
    }

    /// What a worker has left in its block, if anything.
    init(_ result: RuleResultBytes) {
        var rest = CountedBytes.none
        if let buffer = result.buffer {
            rest = unsafe CountedBytes(PayloadBuffer.bytes(buffer), buffer.pointee.count)
        }
        func next(_ count: Int) -> CountedBytes {
            defer { rest = rest.dropFirst(count) }
            return rest.prefix(count)
        }
        subject = next(result.subjectCount)
        header = next(result.headerCount)
        body = next(result.bodyCount)
        message = next(result.messageCount)
        slice =
            result.sliceStart < 0
            ? nil : result.sliceStart..<(result.sliceStart + result.sliceCount)
    }
}
