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
    /// Where it was published.
    var account: AccountRef
    var rules: Unmanaged<ActiveRules>
    /// Where to begin.
    var rule: Int
    var clientID: UInt64
    /// Set by the worker.
    var verdict = RuleVerdict(.pass)
    var result = RuleResultBytes()

    /// What a connection may not have too much of under way.
    var byteCount: Int { message.totalBytes }

    /// A reload may replace the rules while the job is under way: it holds on to them.
    @inline(never)
    func holdRules() { _ = unsafe rules.retain() }

    @inline(never)
    func letGoOfRules() { unsafe rules.release() }
}

/// What an evaluation wrote, in a block of the worker's, one part behind another.
@safe
struct RuleResultBytes: BitwiseCopyable {
    var buffer: PayloadRef?
    var subjectCount = 0
    var headerCount = 0
    var bodyCount = 0
    var messageCount = 0
    /// Part of the payload; -1 for all of it.
    var sliceStart = -1
    var sliceCount = 0
}

/// What becomes of a message, as places of bytes: in a loop's own output, or in a worker's block.
@safe
struct RuleOutcome {
    var subject: Bytes
    var subjectCount: Int
    var header: Bytes
    var headerCount: Int
    var body: Bytes
    var bodyCount: Int
    var message: Bytes
    var messageCount: Int
    var slice: Range<Int>?

    /// What a loop's evaluation has just written.
    init(_ output: RuleOutput) {
        unsafe subject = Bytes(output.subject)
        subjectCount = output.subjectCount
        unsafe header = Bytes(output.header)
        headerCount = output.headerCount
        unsafe body = Bytes(output.body)
        bodyCount = output.bodyCount
        unsafe message = Bytes(output.message)
        messageCount = output.messageCount
        slice = output.slice
    }

    /// What a worker has left in its block; `nothing` stands where it left none.
    init(_ result: RuleResultBytes, nothing: Bytes) {
        let start = unsafe result.buffer.map { unsafe Bytes(PayloadBuffer.bytes($0)) } ?? nothing
        unsafe subject = start
        subjectCount = result.subjectCount
        unsafe header = subject + subjectCount
        headerCount = result.headerCount
        unsafe body = header + headerCount
        bodyCount = result.bodyCount
        unsafe message = body + bodyCount
        messageCount = result.messageCount
        slice =
            result.sliceStart < 0
            ? nil : result.sliceStart..<(result.sliceStart + result.sliceCount)
    }
}
