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
    private let text: Cells<UInt8>
    private let tape: Cells<JSONEntry>
    /// First clause and number of clauses of each alternative, and where the alternatives of a
    /// group end: all groups must hold.
    private let groups: Cells<ConditionGroup>

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
        groups.free()
        text.free()
        tape.free()
    }

    /// Whether the document, whose values the tree found, is as the condition says. nil if that is
    /// more work than the document's size allows.
    @unsafe public func holds(
        for document: JSONDocument, _ slots: UnsafePointer<JSONSlot>,
        in scratch: borrowing RuleScratch
    ) -> Bool? {
        var work = 10_000 &+ scratch.limits.workPerByteMax &* document.bytes.count
        let values = Values(bytes: document.bytes, tape: document.tape)
        let threads = scratch.threads
        var isGroupTrue = false
        for index in 0..<groups.count {
            let group = groups[index]
            if !isGroupTrue {
                var isTrue = true
                for clause in Int(group.clauses)..<Int(group.clauses &+ group.count) where isTrue {
                    let slot = unsafe slots[Int(clauses[clause].slot)]
                    isTrue = holds(clauses[clause], Int(slot.entry), values, threads, &work)
                }
                isGroupTrue = isTrue
            }
            if work < 0 { return nil }
            if group.isLast {
                if !isGroupTrue { return false }
                isGroupTrue = false
            }
        }
        return true
    }

    private func holds(
        _ clause: ConditionClause, _ entry: Int, _ values: Values, _ threads: PatternThreads,
        _ work: inout Int
    ) -> Bool {
        for index in Int(clause.tests)..<Int(clause.tests &+ clause.count) {
            let test = tests[index]
            switch test.kind {
            case .exists: if entry >= 0 { return true }
            case .missing: if entry < 0 { return true }
            default:
                if entry >= 0 && holdsForAny(test, entry, values, threads, &work) { return true }
            }
        }
        return false
    }

    /// For the value or, if it is an array, one of its elements.
    private func holdsForAny(
        _ test: ConditionTest, _ entry: Int, _ values: Values, _ threads: PatternThreads,
        _ work: inout Int
    ) -> Bool {
        guard values.tape[entry].kind == .array else {
            return holds(test, entry, values, threads, &work)
        }
        let end = values.tape[entry].next
        var element = entry &+ 1
        while element < end && work >= 0 {
            if holds(test, element, values, threads, &work) { return true }
            element = values.tape.index(after: element)
        }
        return false
    }

    private func holds(
        _ test: ConditionTest, _ index: Int, _ values: Values, _ threads: PatternThreads,
        _ work: inout Int
    ) -> Bool {
        let entry = values.tape[index]
        let constants = Values(
            bytes: unsafe Bytes(UnsafePointer(text.start), count: text.count), tape: tape)
        work &-= 1 &+ entry.length &>> 3
        switch test.kind {
        case .equal: return values.areEqual(index, constants, Int(test.a), &work)
        case .numeric:
            guard entry.kind == .number else { return false }
            for bound in Int(test.a)..<Int(test.a &+ test.b) {
                let order = values.compare(entry, constants, tape[Int(bounds[bound].entry)])
                if !bounds[bound].holds(order) { return false }
            }
            return true
        case .anythingBut:
            for other in Int(test.a)..<Int(test.a &+ test.b)
            where holds(tests[other], index, values, threads, &work) {
                return false
            }
            return true
        case .prefix, .suffix, .equalIgnoringCase:
            return entry.kind == .string
                && areAlike(test.kind, entry, values.bytes, tape[Int(test.a)], constants.bytes)
        case .wildcard:
            let pattern = patterns[Int(test.a)]
            work &-= entry.length &* pattern.workPerCharacter &>> 2
            return entry.kind == .string && work >= 0
                && pattern.matches(values.bytes, entry, threads)
        case .exists, .missing: return test.kind == .exists
        }
    }

    private func areAlike(
        _ kind: ConditionTest.Kind, _ entry: JSONEntry, _ bytes: Bytes, _ wanted: JSONEntry,
        _ wantedBytes: Bytes
    ) -> Bool {
        var reader = ScalarReader(bytes, entry)
        var other = ScalarReader(wantedBytes, wanted)
        if kind == .suffix {
            var length = Values(bytes: bytes, tape: tape).length(entry)
            let wantedLength = Values(bytes: wantedBytes, tape: tape).length(wanted)
            while length > wantedLength {
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

/// An alternative of a `$or`, or the clauses outside of any.
struct ConditionGroup: BitwiseCopyable {
    var clauses: Int32
    var count: Int32
    /// The alternatives so far are one group.
    var isLast: Bool
}
