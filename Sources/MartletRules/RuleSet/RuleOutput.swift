/// Where an evaluation writes what it makes of a message. Made once, by a thread for itself; a copy
/// refers to the same memory, and `destroy()` gives it back.
///
/// Pointers only: of an object, references would be counted and accesses tracked for each message.
///
/// SAFETY: the buffers live until `destroy()`, which their owner calls once, and belong to one
/// thread; whoever writes checks against the capacities, and counts never exceed them.
@safe
public struct RuleOutput: BitwiseCopyable {
    /// The longest subject that a rule makes, in bytes.
    public static let subjectBytesMax = 4_096
    /// The longest header block that a rule makes, in bytes.
    public static let headerBytesMax = 64 << 10
    /// The longest text that says what is wrong, in bytes.
    public static let messageBytesMax = 512
    /// A message meets this many rules at most.
    public static let stepsMax = 32

    /// The subject that the message or, of one that is not valid, its dead letter goes to; none if
    /// the count is 0.
    public let subject = UnsafeMutablePointer<UInt8>.allocate(capacity: subjectBytesMax)
    /// Bytes of the subject; 0 without one.
    public internal(set) var subjectCount: Int {
        get { unsafe state.pointee.subjectCount }
        nonmutating set { unsafe state.pointee.subjectCount = newValue }
    }
    /// The whole new header block, with the empty line at its end; the message's own if the count is 0.
    /// Of one that is not valid, that of its dead letter.
    public let header = UnsafeMutablePointer<UInt8>.allocate(capacity: headerBytesMax)
    /// Bytes of the header block; 0 without one.
    public internal(set) var headerCount: Int {
        get { unsafe state.pointee.headerCount }
        nonmutating set { unsafe state.pointee.headerCount = newValue }
    }
    /// The answer, or the JSON that tells what is not valid.
    public let body: UnsafeMutablePointer<UInt8>
    /// Room for a body, in bytes.
    public let bodyBytesMax: Int
    /// Bytes of the body; 0 without one.
    public internal(set) var bodyCount: Int {
        get { unsafe state.pointee.bodyCount }
        nonmutating set { unsafe state.pointee.bodyCount = newValue }
    }
    /// A line for people, fit for a header field: what was not valid. Like the offset it is there too
    /// if the message went on all the same, as in shadow mode.
    public let message = UnsafeMutablePointer<UInt8>.allocate(capacity: messageBytesMax)
    /// Bytes of the text that says what is wrong; 0 without one.
    public internal(set) var messageCount: Int {
        get { unsafe state.pointee.messageCount }
        nonmutating set { unsafe state.pointee.messageCount = newValue }
    }
    /// What part of the payload goes on; nil is all of it.
    public internal(set) var slice: Range<Int>? {
        get { unsafe state.pointee.slice }
        nonmutating set { unsafe state.pointee.slice = newValue }
    }
    /// What each rule did.
    public let steps = UnsafeMutablePointer<RuleStep>.allocate(capacity: stepsMax)
    /// What the evaluation cost, in steps: whoever published is charged with them.
    public internal(set) var stepCount: Int {
        get { unsafe state.pointee.stepCount }
        nonmutating set { unsafe state.pointee.stepCount = newValue }
    }
    /// Where in the payload something was not valid; -1 if it is no place in it.
    public internal(set) var failureOffset: Int {
        get { unsafe state.pointee.failureOffset }
        nonmutating set { unsafe state.pointee.failureOffset = newValue }
    }

    /// The JSON pointer to what is not valid, escaped as in the body; none if that is no place in the payload.
    public var failurePath: String {
        guard let path else { return "" }
        return unsafe String(
            decoding: UnsafeBufferPointer(start: body + path.lowerBound, count: path.count),
            as: UTF8.self)
    }

    /// What a rule would do, until it is known that it can.
    let stagedSubject = UnsafeMutablePointer<UInt8>.allocate(capacity: subjectBytesMax)
    let stagedHeader = UnsafeMutablePointer<UInt8>.allocate(capacity: headerBytesMax)
    /// The path of what is not valid, within the body.
    var path: Range<Int>? {
        get { unsafe state.pointee.path }
        nonmutating set { unsafe state.pointee.path = newValue }
    }

    private let state = UnsafeMutablePointer<RuleOutputState>.allocate(capacity: 1)

    /// An answer may be a little longer than the payload that it is picked from.
    public init(limits: JSONLimits) {
        bodyBytesMax = limits.clamped.payloadBytesMax + (16 << 10)
        unsafe body = .allocate(capacity: bodyBytesMax)
        unsafe state.initialize(to: RuleOutputState())
    }

    /// Frees the memory; nothing of it may be used any more.
    public func destroy() {
        unsafe subject.deallocate()
        unsafe header.deallocate()
        unsafe body.deallocate()
        unsafe message.deallocate()
        unsafe steps.deallocate()
        unsafe stagedSubject.deallocate()
        unsafe stagedHeader.deallocate()
        unsafe state.deallocate()
    }

    func reset() { unsafe state.pointee = RuleOutputState() }
}

private struct RuleOutputState {
    var subjectCount = 0
    var headerCount = 0
    var bodyCount = 0
    var messageCount = 0
    var stepCount = 0
    var failureOffset = -1
    var slice: Range<Int>?
    var path: Range<Int>?
}
