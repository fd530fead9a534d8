/// What an evaluation may still do, in steps of about ten instructions, and what stopped it.
struct Work: BitwiseCopyable {
    /// Below zero there is no more to do.
    var left: Int
    /// Where a number stands that is too long to be compared, or -1.
    private(set) var longNumberOffset = -1

    init(_ left: Int) {
        self.left = left
    }

    /// Ends the evaluation.
    @inline(never)
    mutating func refuse(_ number: JSONEntry) {
        if longNumberOffset < 0 { longNumberOffset = number.offset }
        left = -1
    }
}
