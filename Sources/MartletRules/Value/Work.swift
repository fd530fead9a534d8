/// What an evaluation may still do, in steps of about ten instructions, and what stopped it.
struct Work: BitwiseCopyable {
    /// Below zero there is no more to do.
    var left: Int
    /// Where a number stands that is too long to be compared, or -1.
    private(set) var longNumberOffset = -1
    private var leftAtLongNumber = 0

    init(_ left: Int) {
        self.left = left
    }

    /// Ends the evaluation.
    @inline(never)
    mutating func refuse(_ number: JSONEntry) {
        if longNumberOffset < 0 {
            longNumberOffset = number.offset
            leftAtLongNumber = left
        }
        left = -1
    }

    /// What was not taken of so much as there was, whatever ended the evaluation.
    var unused: Int { max(longNumberOffset < 0 ? left : leftAtLongNumber, 0) }
}
