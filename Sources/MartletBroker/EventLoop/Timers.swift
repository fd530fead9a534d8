/// Deadlines of a loop as a binary heap. Each names its owner; a deadline that was moved later, or
/// overtaken by a nearer one, is not searched for: it fires, and its owner sees what it is.
///
/// SAFETY: one thread. The heap grows when a connection is made, not on the message path.
@safe
struct Timers {
    struct Entry: BitwiseCopyable {
        var deadline: UInt64
        var owner: TimerOwner
    }

    /// SAFETY: `entries` holds `capacity` entries, the first `count` of them initialised.
    @safe
    private struct State {
        var entries: UnsafeMutablePointer<Entry>
        var count = 0
        var capacity: Int
    }

    private let state: StablePointer<State>

    init() {
        state = unsafe StablePointer(
            allocating: State(entries: .allocate(capacity: 1_024), capacity: 1_024))
    }

    var count: Int { state.pointee.count }

    /// The nearest deadline, `UInt64.max` without one.
    @inline(__always)
    var nextDeadline: UInt64 {
        unsafe state.pointee.count == 0 ? .max : state.pointee.entries[0].deadline
    }

    func add(_ deadline: UInt64, _ owner: TimerOwner) {
        if state.pointee.count == state.pointee.capacity { grow() }
        // SAFETY: the entry behind the last one is there.
        assert(state.pointee.count < state.pointee.capacity)
        let entries = unsafe state.pointee.entries
        var i = state.pointee.count
        state.pointee.count += 1
        while i > 0 {
            let parent = (i - 1) / 2
            guard unsafe entries[parent].deadline > deadline else { break }
            unsafe entries[i] = unsafe entries[parent]
            i = parent
        }
        unsafe entries[i] = Entry(deadline: deadline, owner: owner)
    }

    /// Takes the nearest entry if it is due.
    func popDue(at now: UInt64) -> Entry? {
        guard state.pointee.count > 0, unsafe state.pointee.entries[0].deadline <= now else {
            return nil
        }
        let entries = unsafe state.pointee.entries
        let due = unsafe entries[0]
        state.pointee.count -= 1
        let count = state.pointee.count
        let last = unsafe entries[count]
        var i = 0
        while true {
            var child = 2 * i + 1
            guard child < count else { break }
            if child + 1 < count, unsafe entries[child + 1].deadline < entries[child].deadline {
                child += 1
            }
            guard unsafe entries[child].deadline < last.deadline else { break }
            unsafe entries[i] = unsafe entries[child]
            i = child
        }
        unsafe entries[i] = last
        return due
    }

    private func grow() {
        let capacity = state.pointee.capacity * 2
        let entries = UnsafeMutablePointer<Entry>.allocate(capacity: capacity)
        unsafe entries.update(from: state.pointee.entries, count: state.pointee.count)
        unsafe state.pointee.entries.deallocate()
        unsafe state.pointee.entries = unsafe entries
        state.pointee.capacity = capacity
    }

    func destroy() {
        unsafe state.pointee.entries.deallocate()
        state.destroy()
    }
}
