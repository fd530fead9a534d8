/// Whose a deadline is: something in a slot, of a kind that the driver of the loop knows. Each kind is
/// declared where its deadlines are, and gets its line in the driver's `deadlineHasCome`.
struct TimerOwner: BitwiseCopyable, Hashable {
    struct Kind: BitwiseCopyable, Hashable {
        let rawValue: UInt8
    }

    let kind: Kind
    let slot: SlabHandle
}
