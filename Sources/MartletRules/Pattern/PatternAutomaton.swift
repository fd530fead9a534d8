/// Runs a pattern by its positions.
///
/// SAFETY: its cells never change after `init`; the pattern frees them after the last use.
struct PatternAutomaton: Sendable, BitwiseCopyable {
    private let wordCount: Int
    private let words: Cells<UInt64>
    private let moves: Cells<PatternMoves>
    private let shifts: Cells<PatternShift>
    private let groups: Cells<PatternGroup>
    private let classSets: Int
    private let firstSets: Cells<Int>
    private let lastSets: Cells<Int>
    private let matchesAtStart: Cells<Bool>
    /// By class; without any where that makes no difference.
    private let isWord: Cells<Bool>
    let matchesEmpty: Bool

    init(_ positions: PatternPositions?, isWord: [Bool]) {
        wordCount = positions?.wordCount ?? 0
        words = Cells(positions?.words ?? [])
        moves = Cells(positions?.moves ?? [])
        shifts = Cells(positions?.shifts ?? [])
        groups = Cells(positions?.groups ?? [])
        classSets = positions?.classSets ?? 0
        firstSets = Cells(positions?.firstSets ?? [])
        lastSets = Cells(positions?.lastSets ?? [])
        matchesAtStart = Cells(positions?.matchesAtStart ?? [])
        self.isWord = Cells(positions?.usesWords ?? false ? isWord : [])
        matchesEmpty = positions?.matchesEmpty ?? false
    }

    func free() {
        words.free()
        moves.free()
        shifts.free()
        groups.free()
        firstSets.free()
        lastSets.free()
        matchesAtStart.free()
        isWord.free()
    }

    /// Where a text is.
    struct Run {
        fileprivate let sets: PatternSets
        /// Where the set is that holds now, and where the next one will be.
        fileprivate var now = 0
        fileprivate var next = PatternPositions.wordsMax
        /// Whether the last character is of `\\w`: 1 or 0.
        fileprivate var side: Int
        fileprivate(set) var isAlive = false
    }

    private func side(_ column: Int) -> Int { isWord.count > 0 && isWord[column] ? 1 : 0 }

    /// Behind the first character, which is of a class; nil for a match before it.
    func begin(_ column: Int, _ sets: PatternSets) -> Run? {
        var run = Run(sets: sets, side: side(column))
        if matchesAtStart[run.side] { return nil }
        let first = firstSets[run.side]
        for word in 0..<wordCount { sets.words[word] = words[first &+ word] }
        keep(&run, at: 0, column)
        return run
    }

    /// Over a character; true for a match before it.
    func step(_ run: inout Run, _ column: Int) -> Bool {
        let after = side(column)
        let moves = self.moves[isWord.count > 0 ? 2 &* run.side &+ after : 0]
        if moves.matching >= 0 && meets(run, Int(moves.matching)) { return true }
        shift(run, moves)
        for index in Int(moves.firstGroup)..<Int(moves.firstGroup &+ moves.groupCount) {
            follow(run, groups[index])
        }
        keep(&run, at: run.next, column)
        swap(&run.now, &run.next)
        run.side = after
        return false
    }

    /// At the text's end.
    func isMatch(_ run: Run) -> Bool { meets(run, lastSets[run.side]) }

    private func meets(_ run: Run, _ set: Int) -> Bool {
        for word in 0..<wordCount
        where run.sets.words[run.now &+ word] & words[set &+ word] != 0 {
            return true
        }
        return false
    }

    private func shift(_ run: Run, _ moves: PatternMoves) {
        let sets = run.sets.words
        for word in 0..<wordCount { sets[run.next &+ word] = 0 }
        for index in Int(moves.firstShift)..<Int(moves.firstShift &+ moves.shiftCount) {
            let mask = Int(shifts[index].mask)
            let distance = shifts[index].distance
            var carried: UInt64 = 0
            for word in 0..<wordCount {
                let moved = sets[run.now &+ word] & words[mask &+ word]
                sets[run.next &+ word] |= moved << distance | carried
                carried = moved >> (64 - distance)
            }
        }
    }

    private func follow(_ run: Run, _ group: PatternGroup) {
        let sets = run.sets.words
        var isThere = false
        let from = Int(group.from.words)
        for word in 0..<Int(group.from.count) {
            let place = run.now &+ Int(group.from.first) &+ word
            if sets[place] & words[from &+ word] != 0 {
                isThere = true
                break
            }
        }
        if !isThere { return }
        let to = Int(group.to.words)
        for word in 0..<Int(group.to.count) {
            sets[run.next &+ Int(group.to.first) &+ word] |= words[to &+ word]
        }
    }

    /// Only the positions that take the character.
    private func keep(_ run: inout Run, at place: Int, _ column: Int) {
        let members = classSets &+ column &* wordCount
        var all: UInt64 = 0
        for word in 0..<wordCount {
            let left = run.sets.words[place &+ word] & words[members &+ word]
            run.sets.words[place &+ word] = left
            all |= left
        }
        run.isAlive = all != 0
    }
}
