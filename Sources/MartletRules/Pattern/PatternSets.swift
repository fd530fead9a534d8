/// Where a pattern that has no table is at the same time: two sets of its positions, a bit each.
struct PatternSets {
    let words: Cells<UInt64>

    init() {
        words = Cells(count: 2 * PatternPositions.wordsMax, repeating: 0)
    }

    func free() { words.free() }
}
