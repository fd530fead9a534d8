/// Which positions of a pattern follow which.
struct PatternReach {
    /// Between two characters of the text.
    struct Between {
        /// For each position those that may follow, in order.
        var follow: [[Int]] = []
        /// Positions that a match may end with there.
        var matching: [Int] = []
    }

    /// By whether the first character is of `\w`.
    private(set) var first: [(positions: [Int], isMatch: Bool)] = []
    /// By whether the character before, and the one behind, are.
    private(set) var between: [Between] = []
    /// By whether the last character is.
    private(set) var last: [[Int]] = []
    private(set) var matchesEmpty = false

    private static let workMax = 4_000_000

    init(_ program: PatternProgram, _ takes: [Int]) throws(RuleError) {
        var numbers = [Int](repeating: -1, count: program.steps.count)
        for (number, step) in takes.enumerated() { numbers[step] = number }
        let sides: [PatternSide] = program.usesWords ? [.other, .word] : [.other]
        var work = 0
        func reach(
            _ step: Int32, _ before: PatternSide, _ after: PatternSide
        ) throws(RuleError) -> (positions: [Int], isMatch: Bool) {
            let found = program.reach([step], before, after, &work)
            if work > Self.workMax { throw RuleError("the pattern is too large") }
            return (found.takes.map { numbers[Int($0)] }, found.isMatch)
        }
        for after in sides { first.append(try reach(PatternProgram.start, .edge, after)) }
        matchesEmpty = try reach(PatternProgram.start, .edge, .edge).isMatch
        for before in sides {
            for after in sides {
                var found = Between()
                for (position, step) in takes.enumerated() {
                    let next = try reach(program.steps[step].next, before, after)
                    found.follow.append(next.positions)
                    if next.isMatch { found.matching.append(position) }
                }
                between.append(found)
            }
            var ends: [Int] = []
            for (position, step) in takes.enumerated()
            where try reach(program.steps[step].next, before, .edge).isMatch {
                ends.append(position)
            }
            last.append(ends)
        }
    }

    /// Positions that no text leads from to a match are not worth being at.
    mutating func dropDeadEnds() {
        let count = between[0].follow.count
        var before = [[Int]](repeating: [], count: count)
        for between in between {
            for (position, next) in between.follow.enumerated() {
                for other in next { before[other].append(position) }
            }
        }
        var isAlive = [Bool](repeating: false, count: count)
        var waiting = last.flatMap { $0 } + between.flatMap(\.matching)
        while let position = waiting.popLast() {
            if isAlive[position] { continue }
            isAlive[position] = true
            waiting += before[position]
        }
        for index in first.indices { first[index].positions.removeAll { !isAlive[$0] } }
        for index in between.indices {
            for position in 0..<count {
                between[index].follow[position].removeAll { !isAlive[$0] }
            }
        }
    }
}
