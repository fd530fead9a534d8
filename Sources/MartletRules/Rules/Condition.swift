/// What a document must be like for a rule to apply, in the style of EventBridge: `{
/// "/customer/tier": ["gold", "vip"], "/total": [{ "numeric": [">=", 100] }] }`. All clauses must
/// hold, of each at least one alternative; a value that is an array satisfies an alternative that
/// one of its elements satisfies. `{ "$or": [ … ] }` holds if one of its conditions does.
///
/// SAFETY: the cells never change after `init`; the owner frees them once.
public final class Condition: Sendable {
    private let clauses: Cells<ConditionClause>
    private let tests: Cells<ConditionTest>
    private let bounds: Cells<ConditionBound>
    private let patterns: Cells<Pattern>
    private let slots: Cells<ValueSlot>
    private let text: Cells<UInt8>
    private let tape: Cells<JSONEntry>
    /// First clause and number of clauses of each alternative, and where the alternatives of a
    /// group end: all groups must hold.
    private let groups: Cells<ConditionGroup>
    private let cost: SchemaCost

    /// `json` is an object of pointers and alternatives.
    public init(json: [UInt8], pointers: inout PointerSet) throws(RuleError) {
        var limits = SchemaLimits()
        limits.fileBytesMax = 64 << 10
        let source = try SchemaSource(json, limits: limits)
        var parser = ConditionParser(source)
        do throws(RuleError) {
            try parser.parse(&pointers)
        } catch {
            for pattern in parser.patterns { pattern.free() }
            source.free()
            throw error
        }
        clauses = Cells(parser.clauses)
        tests = Cells(parser.tests)
        bounds = Cells(parser.bounds)
        patterns = Cells(parser.patterns)
        slots = Cells(parser.slots)
        cost = parser.cost
        groups = Cells(parser.groups)
        text = source.text
        tape = source.tape
    }

    deinit {
        for index in 0..<patterns.count { patterns[index].free() }
        clauses.free()
        tests.free()
        bounds.free()
        patterns.free()
        slots.free()
        groups.free()
        text.free()
        tape.free()
    }

    /// Whether the document, whose values the tree found, is as the condition says.
    @unsafe public func holds(
        for document: JSONDocument, _ slots: UnsafePointer<JSONSlot>,
        in scratch: borrowing RuleScratch
    ) -> ConditionOutcome {
        let steps = min(cost.steps(document), scratch.stepsLeft)
        var run = ConditionRun(
            values: Values(bytes: document.bytes, tape: document.tape), sets: scratch.patterns,
            comparison: scratch.comparison, work: Work(steps))
        let holds = unsafe holds(slots, &run)
        scratch.spend(steps &- run.work.unused)
        if run.work.longNumberOffset >= 0 {
            return .numberTooLong(offset: run.work.longNumberOffset)
        }
        return run.work.left < 0 ? .tooComplex : holds ? .holds : .fails
    }

    private func holds(_ slots: UnsafePointer<JSONSlot>, _ run: inout ConditionRun) -> Bool {
        var isGroupTrue = false
        for index in 0..<groups.count {
            let group = groups[index]
            if !isGroupTrue {
                var isTrue = true
                for clause in Int(group.clauses)..<Int(group.clauses &+ group.count) where isTrue {
                    let slot = unsafe slots[Int(clauses[clause].slot)]
                    isTrue = holds(clauses[clause], Int(slot.entry), &run)
                }
                isGroupTrue = isTrue
            }
            if run.work.left < 0 { return false }
            if group.isLast {
                if !isGroupTrue { return false }
                isGroupTrue = false
            }
        }
        return true
    }

    private func holds(
        _ clause: ConditionClause, _ entry: Int, _ run: inout ConditionRun
    ) -> Bool {
        for index in Int(clause.tests)..<Int(clause.tests &+ clause.count) {
            let test = tests[index]
            switch test.kind {
            case .exists: if entry >= 0 { return true }
            case .missing: if entry < 0 { return true }
            default:
                if entry >= 0 && holdsForAny(test, entry, &run) { return true }
            }
        }
        return false
    }

    /// For the value or, if it is an array, one of its elements.
    private func holdsForAny(
        _ test: ConditionTest, _ entry: Int, _ run: inout ConditionRun
    ) -> Bool {
        guard run.values.tape[entry].kind == .array else { return holds(test, entry, &run) }
        let end = run.values.tape[entry].next
        var element = entry &+ 1
        while element < end && run.work.left >= 0 {
            if holds(test, element, &run) { return true }
            element = run.values.tape.index(after: element)
        }
        return false
    }

    private func holds(_ test: ConditionTest, _ index: Int, _ run: inout ConditionRun) -> Bool {
        let entry = run.values.tape[index]
        let constants = Values(
            bytes: unsafe Bytes(UnsafePointer(text.start), count: text.count), tape: tape)
        run.work.left &-= Self.stepsPerTest
        switch test.kind {
        case .equal:
            return constants.areEqual(
                Int(test.a), run.values, index, run.comparison, &run.work)
        case .among:
            return entry.kindBit & UInt32(truncatingIfNeeded: test.c) != 0
                && constants.contains(
                    index, of: run.values, slots, start: Int(test.a), count: Int(test.b),
                    run.comparison, &run.work)
        case .numeric:
            guard entry.kind == .number else { return false }
            for bound in Int(test.a)..<Int(test.a &+ test.b) {
                let constant = tape[Int(bounds[bound].entry)]
                let order = run.values.compare(entry, constants, constant, &run.work)
                if !bounds[bound].holds(order) { return false }
            }
            return true
        case .anythingBut:
            for other in Int(test.a)..<Int(test.a &+ test.b)
            where holds(tests[other], index, &run) {
                return false
            }
            return true
        case .prefix, .suffix, .equalIgnoringCase:
            guard entry.kind == .string else { return false }
            return isAlike(test, entry, constants, &run)
        case .wildcard:
            guard entry.kind == .string else { return false }
            let pattern = patterns[Int(test.a)]
            run.work.left &-= entry.length &* pattern.workPerCharacter
            return run.work.left >= 0
                && pattern.matches(run.values.bytes, entry, run.sets)
        case .exists, .missing: return test.kind == .exists
        }
    }

    /// What one comparison takes that is not counted by what it reads.
    private static let stepsPerTest = 4

    /// Text of one byte a character is compared where it stands; other text is read, twice at most.
    private func isAlike(
        _ test: ConditionTest, _ entry: JSONEntry, _ constants: Values,
        _ run: inout ConditionRun
    ) -> Bool {
        let wanted = constants.tape[Int(test.a)]
        if entry.isPlainASCII && wanted.isPlainASCII {
            if entry.length < wanted.length { return false }
            if test.kind != .equalIgnoringCase {
                run.work.left &-= wanted.length &>> 3
                let start = test.kind == .suffix ? entry.end &- wanted.length : entry.offset
                return run.values.bytes.areEqual(
                    start, constants.bytes, wanted.offset, length: wanted.length)
            }
            if entry.length > wanted.length { return false }
        }
        let reads = test.kind == .suffix ? entry.length : min(entry.length, wanted.length)
        run.work.left &-= 2 &* reads
        return run.work.left >= 0 && areAlike(test, entry, run.values, wanted, constants.bytes)
    }

    private func areAlike(
        _ test: ConditionTest, _ entry: JSONEntry, _ values: Values, _ wanted: JSONEntry,
        _ wantedBytes: Bytes
    ) -> Bool {
        let kind = test.kind
        var reader = ScalarReader(values.bytes, entry)
        var other = ScalarReader(wantedBytes, wanted)
        if kind == .suffix {
            var length = values.length(entry)
            while length > Int(test.b) {
                _ = reader.next()
                length &-= 1
            }
        }
        while !reader.isAtEnd && !other.isAtEnd {
            let a = reader.next()
            let b = other.next()
            if a == b { continue }
            guard kind == .equalIgnoringCase && lowercased(a) == lowercased(b) else { return false }
        }
        return other.isAtEnd && (kind == .prefix || reader.isAtEnd)
    }

    /// Letters of ASCII only.
    private func lowercased(_ scalar: UInt32) -> UInt32 {
        scalar &- 0x41 < 26 ? scalar | 0x20 : scalar
    }
}

/// What a condition found.
public enum ConditionOutcome: Equatable, Sendable {
    case holds, fails
    /// More work than the document's size allows: code 413.
    case tooComplex
    /// A number has more digits than are compared: code 413.
    case numberTooLong(offset: Int)
}

/// One evaluation of a condition.
private struct ConditionRun {
    let values: Values
    let sets: PatternSets
    let comparison: ValueComparison
    var work: Work
}

/// An alternative of a `$or`, or the clauses outside of any.
struct ConditionGroup: BitwiseCopyable {
    var clauses: Int32
    var count: Int32
    /// The alternatives so far are one group.
    var isLast: Bool
}
