/// The deterministic automaton of a pattern, if it is small: one look per character.
struct PatternTable {
    /// For each state, the state after each class of characters and, last, the verdict at the end.
    private(set) var cells: [UInt16] = []
    let columns: Int

    static let dead: UInt16 = 0
    static let matched: UInt16 = 1
    static let start = 2
    private static let statesMax = 4_096
    private static let cellsMax = 1 << 15
    /// Steps looked at while it is made: reading a configuration takes no longer for a hostile
    /// pattern.
    private static let workMax = 2_000_000

    private struct State: Hashable {
        let steps: [Int32]
        let before: PatternSide
    }

    /// nil if it would be large.
    init?(_ program: PatternProgram) {
        columns = program.classCount + 1
        let usesWords = program.usesWords
        var numbers = [State(steps: [PatternProgram.start], before: .edge): UInt16(Self.start)]
        var states = [State(steps: [PatternProgram.start], before: .edge)]
        cells = [UInt16](repeating: Self.dead, count: 2 * columns)
        var done = 0
        var work = 0
        while done < states.count {
            let state = states[done]
            done += 1
            for column in 0..<columns {
                let isEnd = column == program.classCount
                let after: PatternSide =
                    isEnd ? .edge : program.isWord[column] ? .word : .other
                let reached = program.reach(state.steps, state.before, after, &work)
                if reached.isMatch {
                    cells.append(Self.matched)
                    continue
                }
                if work > Self.workMax { return nil }
                let next = isEnd ? [] : program.taken(reached.takes, column)
                if next.isEmpty {
                    cells.append(Self.dead)
                    continue
                }
                let target = State(steps: next, before: usesWords ? after : .other)
                if let known = numbers[target] {
                    cells.append(known)
                } else {
                    let number = Self.start + states.count
                    if number >= Self.statesMax || number * columns > Self.cellsMax { return nil }
                    numbers[target] = UInt16(number)
                    states.append(target)
                    cells.append(UInt16(number))
                }
            }
        }
        markDeadEnds()
    }

    /// States that no text leads from to a match are dead.
    private mutating func markDeadEnds() {
        let count = cells.count / columns
        var isAlive = [Bool](repeating: false, count: count)
        isAlive[Int(Self.matched)] = true
        var changed = true
        while changed {
            changed = false
            for state in Self.start..<count where !isAlive[state] {
                let row = cells[state * columns..<(state + 1) * columns]
                if row.contains(where: { isAlive[Int($0)] }) {
                    isAlive[state] = true
                    changed = true
                }
            }
        }
        for index in cells.indices where !isAlive[Int(cells[index])] { cells[index] = Self.dead }
    }
}

extension PatternProgram {
    /// The taking steps that are reached without taking anything, in order, and whether a match is.
    func reach(
        _ from: [Int32], _ before: PatternSide, _ after: PatternSide, _ work: inout Int
    ) -> (takes: [Int32], isMatch: Bool) {
        var isSeen = [Bool](repeating: false, count: steps.count)
        work += steps.count / 16 + 1
        var stack = from
        var takes: [Int32] = []
        var isMatch = false
        while let index = stack.popLast() {
            work += 1
            if isSeen[Int(index)] { continue }
            isSeen[Int(index)] = true
            let step = steps[Int(index)]
            switch step.kind {
            case .take: takes.append(index)
            case .fork: stack += [step.next, step.other]
            case .assert:
                if PatternAssertion(rawValue: step.assertion)?.holds(before, after) ?? false {
                    stack.append(step.next)
                }
            case .match: isMatch = true
            }
        }
        return (takes.sorted(), isMatch)
    }

    fileprivate func taken(_ reached: [Int32], _ column: Int) -> [Int32] {
        var next: Set<Int32> = []
        for index in reached where members[Int(steps[Int(index)].set)][column] {
            next.insert(steps[Int(index)].next)
        }
        return next.sorted()
    }
}
