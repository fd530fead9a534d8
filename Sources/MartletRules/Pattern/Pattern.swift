/// A compiled pattern: whether a string holds a match, in time proportional to its length.
///
/// SAFETY: its cells never change after `init`; whoever owns it frees it after the last use.
struct Pattern: Sendable, BitwiseCopyable {
    /// The class of each character of ASCII.
    private let asciiClasses: Cells<UInt8>
    private let bounds: Cells<UInt32>
    private let classes: Cells<UInt8>
    private let columns: Int
    /// Without cells the positions are followed.
    private let table: Cells<UInt16>
    private let positions: PatternAutomaton
    /// How much work a character is.
    let workPerCharacter: Int

    /// Tests look at both ways.
    init(_ text: String, triesTable: Bool = true) throws(RuleError) {
        var parser = PatternParser(text)
        let program = try PatternProgram(try parser.parse())
        columns = program.classCount + 1
        let cells = triesTable ? PatternTable(program)?.cells ?? [] : []
        let found = cells.isEmpty ? try PatternPositions(program) : nil
        positions = PatternAutomaton(found, isWord: program.isWord)
        workPerCharacter = found?.workPerCharacter ?? 1
        table = Cells(cells)
        bounds = Cells(program.bounds)
        classes = Cells(program.classes)
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
        positions.free()
    }

    var isTable: Bool { table.count > 0 }

    /// Whether the string holds a match.
    func matches(_ bytes: Bytes, _ entry: JSONEntry, _ sets: PatternSets) -> Bool {
        if isTable && entry.isPlainASCII { return matchesPlain(bytes, entry) }
        var reader = ScalarReader(bytes, entry)
        return isTable ? matchesByTable(&reader) : matchesByPositions(&reader, sets)
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

    private func matchesByPositions(_ reader: inout ScalarReader, _ sets: PatternSets) -> Bool {
        if reader.isAtEnd { return positions.matchesEmpty }
        guard var run = positions.begin(characterClass(reader.next()), sets) else { return true }
        while !reader.isAtEnd && run.isAlive {
            if positions.step(&run, characterClass(reader.next())) { return true }
        }
        return reader.isAtEnd && positions.isMatch(run)
    }
}
