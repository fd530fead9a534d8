/// Which members and elements some keyword has looked at, for `unevaluatedProperties` and
/// `unevaluatedItems`; what a failed branch has marked is taken back.
struct EvaluationMarks {
    /// For each entry of the tape, the trail's length just after it was last marked, or 0.
    private let marked: Cells<UInt32>
    /// Entry in the low half, its former mark in the high one.
    private let trail: Cells<UInt64>

    init(entries: Int) {
        marked = Cells(count: entries, repeating: 0)
        trail = Cells(count: 4 * entries, repeating: 0)
    }

    func free() {
        marked.free()
        trail.free()
    }
}
