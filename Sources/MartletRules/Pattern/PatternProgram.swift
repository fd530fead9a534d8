/// One step of a pattern's nondeterministic automaton.
struct PatternStep: BitwiseCopyable {
    enum Kind: UInt8 {
        case take, fork, assert, match
    }

    var kind: Kind
    var assertion: UInt8 = 0
    /// The set that `take` takes.
    var set: UInt16 = 0
    var next: Int32 = 0
    var other: Int32 = 0
}

/// A pattern as steps, with the characters sorted into classes that no set of it tells apart.
struct PatternProgram {
    var steps: [PatternStep] = []
    private(set) var sets: [CharacterSet] = []
    /// Classes begin at these characters; `classes` has the class of each range.
    private(set) var bounds: [UInt32] = []
    private(set) var classes: [UInt8] = []
    private(set) var classCount = 0
    /// For each set, whether it has the class.
    private(set) var members: [[Bool]] = []
    /// For each class, whether it is of `\w`.
    private(set) var isWord: [Bool] = []

    static let stepsMax = 8_192
    static let start: Int32 = 0
    /// Parts of the pattern that were emitted, those that are nothing too.
    private var emitted = 0
    private static let emittedMax = 100_000

    /// Whether it matters which characters are of `\w`.
    var usesWords: Bool {
        steps.contains { step in
            step.kind == .assert && step.assertion >= PatternAssertion.wordBoundary.rawValue
        }
    }

    init(_ node: PatternNode) throws(RuleError) {
        // A match may begin anywhere.
        steps.append(PatternStep(kind: .fork, next: 2, other: 1))
        steps.append(
            PatternStep(kind: .take, set: index(of: CharacterSet([0...CharacterSet.last])), next: 0)
        )
        try emit(node)
        steps.append(PatternStep(kind: .match))
        try sortCharacters()
    }

    private mutating func index(of set: CharacterSet) -> UInt16 {
        if let known = sets.firstIndex(of: set) { return UInt16(known) }
        sets.append(set)
        return UInt16(sets.count - 1)
    }

    private var here: Int32 { Int32(steps.count) }

    private mutating func add(_ step: PatternStep) throws(RuleError) {
        if steps.count >= Self.stepsMax { throw RuleError("the pattern is too large") }
        steps.append(step)
    }

    private mutating func emit(_ node: PatternNode) throws(RuleError) {
        emitted += 1
        if emitted > Self.emittedMax { throw RuleError("the pattern is too large") }
        switch node {
        case .empty: return
        case .set(let set): try add(PatternStep(kind: .take, set: index(of: set), next: here + 1))
        case .assertion(let assertion):
            try add(PatternStep(kind: .assert, assertion: assertion.rawValue, next: here + 1))
        case .sequence(let parts):
            for part in parts { try emit(part) }
        case .choice(let branches): try emit(choice: branches)
        case .repeated(let node, let min, let max): try emit(node, min, max)
        }
    }

    private mutating func emit(choice branches: [PatternNode]) throws(RuleError) {
        var jumps: [Int] = []
        for branch in branches.dropLast() {
            let fork = steps.count
            try add(PatternStep(kind: .fork, next: here + 1))
            try emit(branch)
            jumps.append(steps.count)
            try add(PatternStep(kind: .fork))
            steps[fork].other = here
        }
        if let last = branches.last { try emit(last) }
        for jump in jumps {
            steps[jump].next = here
            steps[jump].other = here
        }
    }

    private mutating func emit(_ node: PatternNode, _ min: Int, _ max: Int?) throws(RuleError) {
        for _ in 0..<min { try emit(node) }
        guard let max else {
            let fork = steps.count
            try add(PatternStep(kind: .fork, next: here + 1))
            try emit(node)
            try add(PatternStep(kind: .fork, next: Int32(fork), other: Int32(fork)))
            steps[fork].other = here
            return
        }
        var forks: [Int] = []
        for _ in min..<max {
            forks.append(steps.count)
            try add(PatternStep(kind: .fork, next: here + 1))
            try emit(node)
        }
        for fork in forks { steps[fork].other = here }
    }

    private mutating func sortCharacters() throws(RuleError) {
        let known = usesWords ? sets + [.words] : sets
        var starts: Set<UInt32> = [0]
        for range in known.flatMap(\.ranges) {
            starts.insert(range.lowerBound)
            if range.upperBound < CharacterSet.last { starts.insert(range.upperBound + 1) }
        }
        bounds = starts.sorted()
        var signatures: [[Bool]: UInt8] = [:]
        var cursors = [Int](repeating: 0, count: known.count)
        for start in bounds {
            var signature: [Bool] = []
            for (index, set) in known.enumerated() {
                while cursors[index] < set.ranges.count,
                    set.ranges[cursors[index]].upperBound < start
                {
                    cursors[index] += 1
                }
                signature.append(
                    cursors[index] < set.ranges.count && set.ranges[cursors[index]].contains(start))
            }
            if signatures[signature] == nil {
                guard classCount < 250 else { throw RuleError("the pattern has too many classes") }
                signatures[signature] = UInt8(classCount)
                isWord.append(usesWords && signature[known.count - 1])
                for index in sets.indices {
                    if index == members.count { members.append([]) }
                    members[index].append(signature[index])
                }
                classCount += 1
            }
            classes.append(signatures[signature] ?? 0)
        }
    }
}

/// What stands on one side of a place in the text.
enum PatternSide: UInt8 {
    case edge, word, other
}

extension PatternAssertion {
    func holds(_ before: PatternSide, _ after: PatternSide) -> Bool {
        switch self {
        case .begin: before == .edge
        case .end: after == .edge
        case .wordBoundary: (before == .word) != (after == .word)
        case .noWordBoundary: (before == .word) == (after == .word)
        }
    }
}
