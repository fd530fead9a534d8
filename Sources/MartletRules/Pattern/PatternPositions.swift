/// A pattern whose table would be large, as the positions of its characters (Glushkov): all that a text
/// may be at are a set of bits, and a character moves all of them at once. Counted repetitions are
/// moves by the same distance, which are shifts; what is left goes by groups that lead to the same.
struct PatternPositions {
    /// Of each set.
    let wordCount: Int
    private(set) var words: [UInt64] = []
    /// Between two characters, by whether each is of `\w` if the pattern asks for that.
    private(set) var moves: [PatternMoves] = []
    private(set) var shifts: [PatternShift] = []
    private(set) var groups: [PatternGroup] = []
    /// Where sets begin among the words: the first of each class of characters, the positions that a
    /// first character may be at, and those that a match may end with.
    private(set) var classSets = 0
    private(set) var firstSets: [Int] = []
    private(set) var lastSets: [Int] = []
    private(set) var matchesAtStart: [Bool] = []
    private(set) var matchesEmpty = false
    let usesWords: Bool
    /// In steps of about ten instructions.
    private(set) var workPerCharacter = 1

    static let wordsMax = 64
    static let workPerCharacterMax = 128

    init(_ program: PatternProgram) throws(RuleError) {
        let takes = program.steps.indices.filter { program.steps[$0].kind == .take }
        guard takes.count <= 64 * Self.wordsMax else { throw RuleError("the pattern is too large") }
        wordCount = (takes.count + 63) / 64
        usesWords = program.usesWords
        var reached = try PatternReach(program, takes)
        reached.dropDeadEnds()
        classSets = words.count
        for column in 0..<program.classCount {
            words += bits(
                takes.indices.filter { program.members[Int(program.steps[takes[$0]].set)][column] })
        }
        for (set, isMatch) in reached.first {
            firstSets.append(add(set))
            matchesAtStart.append(isMatch)
        }
        matchesEmpty = reached.matchesEmpty
        lastSets = reached.last.map { add(bits($0)) }
        for between in reached.between { addMoves(between) }
        guard workPerCharacter <= Self.workPerCharacterMax else {
            throw RuleError(
                "the pattern takes \(workPerCharacter) steps for a character; a pattern may take"
                    + " \(Self.workPerCharacterMax)")
        }
    }

    private func bits(_ positions: [Int]) -> [UInt64] {
        var set = [UInt64](repeating: 0, count: wordCount)
        for position in positions { set[position / 64] |= 1 << UInt64(position % 64) }
        return set
    }

    private mutating func add(_ set: [UInt64]) -> Int {
        words += set
        return words.count - wordCount
    }

    private mutating func add(_ positions: [Int]) -> Int { add(bits(positions)) }

    private mutating func addMoves(_ between: PatternReach.Between) {
        var distances: [Int: [Int]] = [:]
        for (position, next) in between.follow.enumerated() {
            for other in next where (0..<64).contains(other - position) {
                distances[other - position, default: []].append(position)
            }
        }
        let chosen = distances.filter { $0.value.count >= 2 * wordCount || $0.key < 2 }
        let firstShift = shifts.count
        for (distance, positions) in chosen.sorted(by: { $0.key < $1.key }) {
            shifts.append(PatternShift(distance: UInt64(distance), mask: Int32(add(positions))))
        }
        var rests: [[Int]: [Int]] = [:]
        for (position, next) in between.follow.enumerated() {
            let rest = next.filter { chosen[$0 - position] == nil }
            if !rest.isEmpty { rests[rest, default: []].append(position) }
        }
        let firstGroup = groups.count
        for (targets, positions) in rests.sorted(by: { $0.value[0] < $1.value[0] }) {
            groups.append(PatternGroup(from: span(positions), to: span(targets)))
        }
        let added = groups[firstGroup...]
        let ofGroups = added.reduce(0) { $0 + 6 + 4 * Int($1.from.count) + 4 * Int($1.to.count) }
        let work = 5 * wordCount + 10 * wordCount * (shifts.count - firstShift) + ofGroups
        workPerCharacter = max(workPerCharacter, 1 + work / 10)
        moves.append(
            PatternMoves(
                firstShift: Int32(firstShift), shiftCount: Int32(shifts.count - firstShift),
                firstGroup: Int32(firstGroup), groupCount: Int32(groups.count - firstGroup),
                matching: between.matching.isEmpty ? -1 : Int32(add(between.matching))))
    }

    /// A set without the words at its ends that are zero.
    private mutating func span(_ positions: [Int]) -> PatternSpan {
        let set = bits(positions)
        let first = positions[0] / 64
        let last = positions[positions.count - 1] / 64
        words += set[first...last]
        return PatternSpan(
            words: Int32(words.count - (last - first + 1)), first: Int32(first),
            count: Int32(last - first + 1))
    }
}

/// How positions move over a character.
struct PatternMoves: BitwiseCopyable {
    var firstShift: Int32
    var shiftCount: Int32
    var firstGroup: Int32
    var groupCount: Int32
    /// Where among the words the positions are that have a match behind them, or -1.
    var matching: Int32
}

/// Positions that move by the same distance.
struct PatternShift: BitwiseCopyable {
    var distance: UInt64
    var mask: Int32
}

/// Positions that lead to the same others.
struct PatternGroup: BitwiseCopyable {
    var from: PatternSpan
    var to: PatternSpan
}

/// A part of a set: where among the words it stands, which word of a set its first one is, and how many
/// there are.
struct PatternSpan: BitwiseCopyable {
    var words: Int32
    var first: Int32
    var count: Int32
}
