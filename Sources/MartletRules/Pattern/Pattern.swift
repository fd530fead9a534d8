/// A compiled pattern: whether a string holds a match, in time proportional to its length.
///
/// SAFETY: its cells never change after `init`; whoever owns it frees it after the last use.
struct Pattern: Sendable, BitwiseCopyable {
    /// The class of each character of ASCII.
    private let asciiClasses: Cells<UInt8>
    private let bounds: Cells<UInt32>
    private let classes: Cells<UInt8>
    private let columns: Int
    /// Without cells the steps are followed.
    private let table: Cells<UInt16>
    private let steps: Cells<PatternStep>
    /// For each set and class, whether the set has it.
    private let members: Cells<Bool>
    private let isWord: Cells<Bool>

    /// Tests look at both ways.
    init(_ text: String, triesTable: Bool = true) throws(RuleError) {
        var parser = PatternParser(text)
        let program = try PatternProgram(try parser.parse())
        columns = program.classCount + 1
        table = Cells(triesTable ? PatternTable(program)?.cells ?? [] : [])
        bounds = Cells(program.bounds)
        classes = Cells(program.classes)
        isWord = Cells(program.isWord)
        steps = Cells(table.count == 0 ? program.steps : [])
        members = Cells(table.count == 0 ? program.members.flatMap { $0 } : [])
        var ascii: [UInt8] = []
        var range = 0
        for value in 0..<UInt32(128) {
            while range + 1 < program.bounds.count, program.bounds[range + 1] <= value {
                range += 1
            }
            ascii.append(program.classes[range])
        }
        asciiClasses = Cells(ascii)
    }

    func free() {
        asciiClasses.free()
        bounds.free()
        classes.free()
        table.free()
        steps.free()
        members.free()
        isWord.free()
    }

    var isTable: Bool { table.count > 0 }

    /// How much work a character is.
    var workPerCharacter: Int { isTable ? 1 : steps.count }

    /// Whether the string holds a match.
    func matches(_ bytes: Bytes, _ entry: JSONEntry, _ threads: PatternThreads) -> Bool {
        if isTable && entry.isPlainASCII { return matchesPlain(bytes, entry) }
        var reader = ScalarReader(bytes, entry)
        return isTable ? matchesByTable(&reader) : matchesBySteps(&reader, threads)
    }

    @inline(__always)
    private func characterClass(_ scalar: UInt32) -> Int {
        if scalar < 128 { return Int(asciiClasses[Int(scalar)]) }
        return searchedClass(scalar)
    }

    @inline(never)
    private func searchedClass(_ scalar: UInt32) -> Int {
        var low = 0
        var high = bounds.count
        while high &- low > 1 {
            let middle = (low &+ high) &>> 1
            if bounds[middle] <= scalar { low = middle } else { high = middle }
        }
        return Int(classes[low])
    }

    /// One byte is one character.
    private func matchesPlain(_ bytes: Bytes, _ entry: JSONEntry) -> Bool {
        var state = PatternTable.start
        var position = entry.offset
        let end = entry.end
        while position < end {
            let found = Int(asciiClasses[Int(bytes[position])])
            state = Int(table[state &* columns &+ found])
            if state < PatternTable.start { return state == Int(PatternTable.matched) }
            position &+= 1
        }
        return table[state &* columns &+ columns &- 1] == PatternTable.matched
    }

    private func matchesByTable(_ reader: inout ScalarReader) -> Bool {
        var state = PatternTable.start
        while !reader.isAtEnd {
            state = Int(table[state &* columns &+ characterClass(reader.next())])
            if state < PatternTable.start { return state == Int(PatternTable.matched) }
        }
        return table[state &* columns &+ columns &- 1] == PatternTable.matched
    }

    // MARK: - Step by step

    private func matchesBySteps(_ reader: inout ScalarReader, _ threads: PatternThreads) -> Bool {
        var before = PatternSide.edge
        threads.reset()
        threads.addNext(Int(PatternProgram.start))
        while true {
            let found = reader.isAtEnd ? columns &- 1 : characterClass(reader.next())
            let isEnd = found == columns &- 1
            let after: PatternSide = isEnd ? .edge : isWord[found] ? .word : .other
            if step(threads, found, before, after) { return true }
            if isEnd { return false }
            before = after
        }
    }

    /// Follows every thread to what it takes and over the character; true for a match.
    private func step(
        _ threads: PatternThreads, _ found: Int, _ before: PatternSide, _ after: PatternSide
    ) -> Bool {
        threads.begin()
        while let index = threads.pop() {
            let step = steps[index]
            switch step.kind {
            case .take:
                if after != .edge && members[Int(step.set) &* (columns &- 1) &+ found] {
                    threads.addNext(Int(step.next))
                }
            case .fork:
                threads.push(Int(step.next))
                threads.push(Int(step.other))
            case .assert:
                if PatternAssertion(rawValue: step.assertion)?.holds(before, after) ?? false {
                    threads.push(Int(step.next))
                }
            case .match: return true
            }
        }
        return false
    }
}

/// Where a pattern that has no table is at the same time.
struct PatternThreads {
    /// For each step, when it was last on the stack, and when it was last added for the next
    /// character.
    private let seen: Cells<UInt32>
    private let added: Cells<UInt32>
    private let stack: Cells<Int32>
    private let next: Cells<Int32>
    /// Time, entries on the stack, entries for the next character.
    private let counts: Cells<UInt32>

    init() {
        let count = PatternProgram.stepsMax + 2
        seen = Cells(count: count, repeating: 0)
        added = Cells(count: count, repeating: 0)
        stack = Cells(count: count, repeating: 0)
        next = Cells(count: count, repeating: 0)
        counts = Cells(count: 3, repeating: 0)
    }

    func free() {
        seen.free()
        added.free()
        stack.free()
        next.free()
        counts.free()
    }

    /// No thread is anywhere.
    func reset() {
        if counts[0] > .max / 2 {
            for index in 0..<seen.count {
                seen[index] = 0
                added[index] = 0
            }
            counts[0] = 0
        }
        counts[0] &+= 1
        counts[1] = 0
        counts[2] = 0
    }

    /// The next character's threads become this one's.
    func begin() {
        let count = Int(counts[2])
        counts[0] &+= 1
        counts[1] = 0
        counts[2] = 0
        for index in 0..<count { push(Int(next[index])) }
    }

    func push(_ step: Int) {
        if seen[step] == counts[0] { return }
        seen[step] = counts[0]
        stack[Int(counts[1])] = Int32(truncatingIfNeeded: step)
        counts[1] &+= 1
    }

    func pop() -> Int? {
        if counts[1] == 0 { return nil }
        counts[1] &-= 1
        return Int(stack[Int(counts[1])])
    }

    func addNext(_ step: Int) {
        if added[step] == counts[0] { return }
        added[step] = counts[0]
        next[Int(counts[2])] = Int32(truncatingIfNeeded: step)
        counts[2] &+= 1
    }
}
