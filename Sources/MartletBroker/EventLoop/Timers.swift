/// Deadlines of a loop as a binary heap. Each names its owner; a deadline that was moved later, or
/// overtaken by a nearer one, is not searched for: it fires, and its owner sees what it is.
///
/// SAFETY: one thread. The heap grows by doubling when an entry is added, and keeps its size.
@safe
struct Timers {
    struct Entry: BitwiseCopyable {
        var deadline: UInt64
        var owner: TimerOwner
    }

    private let heap: StablePointer<GrowableBuffer<Entry>>

    init() {
        heap = StablePointer(allocating: GrowableBuffer(capacity: 1_024))
    }

    var count: Int { heap.pointee.count }

    /// The nearest deadline, `UInt64.max` without one.
    @inline(__always)
    var nextDeadline: UInt64 {
        unsafe heap.pointee.count == 0 ? .max : heap.pointee.items[0].deadline
    }

    func add(_ deadline: UInt64, _ owner: TimerOwner) {
        let entry = Entry(deadline: deadline, owner: owner)
        var i = heap.pointee.count
        heap.pointee.append(entry)
        let entries = unsafe heap.pointee.items
        while i > 0 {
            let parent = (i - 1) / 2
            guard unsafe entries[parent].deadline > deadline else { break }
            unsafe entries[i] = unsafe entries[parent]
            i = parent
        }
        unsafe entries[i] = entry
    }

    /// Takes the nearest entry if it is due.
    func popDue(at now: UInt64) -> Entry? {
        guard nextDeadline <= now, let last = heap.pointee.popLast() else { return nil }
        let count = heap.pointee.count
        guard count > 0 else { return last }
        let entries = unsafe heap.pointee.items
        let due = unsafe entries[0]
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

    func destroy() {
        heap.pointee.destroy()
        heap.destroy()
    }
}
