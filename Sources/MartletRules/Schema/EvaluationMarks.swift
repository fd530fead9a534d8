/// Which members and elements some keyword has looked at, for `unevaluatedProperties` and
/// `unevaluatedItems`; what a failed branch has marked is taken back.
struct EvaluationMarks {
    /// For each entry of the tape, the trail's length just after it was last marked, or 0.
    private let marked: Cells<UInt32>
    /// Entry in the low half, its former mark in the high one.
    private let trail: Cells<UInt64>

    init(entries: Int) {
        marked = Cells(count: entries, repeating: 0)
        trail = Cells(count: 2 * entries + 64, repeating: 0)
    }

    func free() {
        marked.free()
        trail.free()
    }

    /// No entry is marked.
    func clear(entries: Int) {
        for index in 0..<entries { marked[index] = 0 }
    }

    /// False if there is no room on the trail.
    func mark(_ entry: Int, _ length: inout Int) -> Bool {
        if length >= trail.count { return false }
        trail[length] = UInt64(marked[entry]) &<< 32 | UInt64(truncatingIfNeeded: entry)
        length &+= 1
        marked[entry] = UInt32(truncatingIfNeeded: length)
        return true
    }

    /// Whether it was marked since the trail had that length.
    func isMarked(_ entry: Int, since start: Int) -> Bool { Int(marked[entry]) > start }

    /// Takes back what was marked since the trail had that length.
    func rewind(to start: Int, _ length: inout Int) {
        while length > start {
            length &-= 1
            let last = trail[length]
            marked[Int(UInt32(truncatingIfNeeded: last))] = UInt32(truncatingIfNeeded: last &>> 32)
        }
    }
}
