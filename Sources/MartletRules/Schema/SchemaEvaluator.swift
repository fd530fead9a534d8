/// One evaluation of a schema over a tape. It recurses where subschemas do, at most `depthMax`
/// deep, and allocates nothing.
struct SchemaEvaluator {
    // Methods are mutating even where they change nothing: the others would be handed a copy of all
    // this.

    let code: SchemaProgram
    let document: Values
    let marks: EvaluationMarks
    let threads: PatternThreads
    let table: EntryTable
    let scopes: Cells<Int32>

    /// Steps that are left.
    var work: Int
    private var depth = 0
    private var scopeCount = 0
    var trail = 0
    private var isOut = false
    private var failedStep: Int32 = 0
    private var failedEntry: Int32 = 0

    /// A level is about a kilobyte of stack, a member's two.
    static let depthMax = 512

    init(_ code: SchemaProgram, _ document: JSONDocument, _ scratch: borrowing RuleScratch) {
        self.code = code
        self.document = Values(bytes: document.bytes, tape: document.tape)
        marks = scratch.marks
        threads = scratch.threads
        table = scratch.keyTable
        scopes = scratch.scopes
        work = Self.workBase &+ scratch.limits.workPerByteMax &* document.bytes.count
        if code.tracksEvaluated { marks.clear(entries: document.entryCount) }
    }

    private static let workBase = 10_000

    mutating func run() -> SchemaOutcome {
        let isValid = evaluate(code.root, 0)
        if isOut || work < 0 { return .tooComplex }
        return isValid
            ? .valid : .violation(SchemaViolation(step: failedStep, entry: failedEntry))
    }

    // MARK: - Subschemas

    @inline(__always)
    mutating func evaluate(_ schema: Int, _ value: Int) -> Bool {
        let start = code.starts[schema]
        let entry = document.tape[value]
        if UInt32(start.kinds) & entry.kindBit == 0
            || start.isInteger && entry.isFractional && !isWhole(entry)
        {
            return fail(Int(start.step) &- 1, value)
        }
        return start.isEmpty || runSteps(Int(start.step), value, entry)
    }

    /// Not for a number whose text has neither fraction nor exponent: those are. The flag means
    /// something else for strings.
    @inline(never)
    private mutating func isWhole(_ entry: JSONEntry) -> Bool {
        entry.kind != .number || document.isInteger(entry)
    }

    @inline(never)
    private mutating func runSteps(_ first: Int, _ value: Int, _ entry: JSONEntry) -> Bool {
        // Out of work, no branch is begun: there may be more of them than time.
        if depth >= Self.depthMax || work < 0 {
            isOut = true
            return false
        }
        depth &+= 1
        let scopesBefore = scopeCount
        let trailStart = trail
        let kind = entry.kindBit
        var index = first
        var isValid = true
        repeat {
            let step = code.steps[index]
            if step.operation == .end { break }
            work &-= 1
            if UInt32(step.kinds) & kind != 0 {
                isValid = run(step, index, value, entry, trailStart)
            }
            index &+= 1
        } while isValid
        if !isValid && code.tracksEvaluated { marks.rewind(to: trailStart, &trail) }
        scopeCount = scopesBefore
        depth &-= 1
        return isValid
    }

    /// A member or an element: what is marked within it is of no use outside. -1 takes any value.
    @inline(__always)
    mutating func evaluateChild(_ schema: Int32, _ value: Int) -> Bool {
        if schema < 0 { return true }
        let start = trail
        let isValid = evaluate(Int(schema), value)
        if code.tracksEvaluated { marks.rewind(to: start, &trail) }
        return isValid
    }

    @inline(__always)
    mutating func mark(_ entry: Int) {
        if code.tracksEvaluated && !marks.mark(entry, &trail) { isOut = true }
    }

    /// Notes what a message will name; an outer step overwrites what its subschemas noted.
    mutating func fail(_ step: Int, _ entry: Int) -> Bool {
        failedStep = Int32(truncatingIfNeeded: step)
        failedEntry = Int32(truncatingIfNeeded: entry)
        return false
    }

    // MARK: - Steps

    @inline(__always)
    private mutating func run(
        _ step: SchemaStep, _ index: Int, _ value: Int, _ entry: JSONEntry, _ trailStart: Int
    ) -> Bool {
        switch step.operation {
        case .end: return true
        case .members: return runMembers(index, value, entry.next)
        case .elements: return runElements(step, value, entry)
        case .reference: return evaluate(Int(step.a), value)
        // Behind a resource's first step.
        case .type:
            let isRight =
                UInt32(truncatingIfNeeded: step.a) & entry.kindBit != 0
                && (step.b == 0 || entry.kind != .number || document.isInteger(entry))
            return isRight || fail(index, value)
        case .minLength:
            // A code point is one to twelve bytes.
            return entry.length >= 12 &* Int(step.a) || isLengthWithin(entry, step.a, .max)
                || fail(index, value)
        case .maxLength:
            return entry.length <= Int(step.a) || isLengthWithin(entry, 0, step.a)
                || fail(index, value)
        case .minItems, .minProperties: return entry.count >= Int(step.a) || fail(index, value)
        case .maxItems, .maxProperties: return entry.count <= Int(step.a) || fail(index, value)
        case .minimum, .maximum, .exclusiveMinimum, .exclusiveMaximum:
            return isWithin(step, entry) || fail(index, value)
        case .allOf: return runAllOf(step, value)
        case .anyOf: return runAnyOf(step, value) || fail(index, value)
        case .oneOf: return runOneOf(step, value) || fail(index, value)
        default: return runRarely(step, index, value, entry, trailStart)
        }
    }

    @inline(never)
    private mutating func runRarely(
        _ step: SchemaStep, _ index: Int, _ value: Int, _ entry: JSONEntry, _ trailStart: Int
    ) -> Bool {
        switch step.operation {
        case .constant:
            return document.areEqual(value, code.constants, Int(step.a), &work)
                || fail(index, value)
        case .oneOfValues: return isAnyOf(step, value) || fail(index, value)
        case .multipleOf:
            let divisor = code.divisors[Int(step.a)]
            return document.decimal(entry).isMultiple(of: divisor.digits, power: divisor.power)
                || fail(index, value)
        case .pattern: return matches(step.a, entry) || fail(index, value)
        case .format:
            return StringFormat(rawValue: UInt8(truncatingIfNeeded: step.a))?
                .accepts(document.bytes, entry) ?? false || fail(index, value)
        case .uniqueItems: return document.areUnique(value, table, &work) || fail(index, value)
        case .contains: return runContains(step, value, entry) || fail(index, value)
        case .dependentRequired: return runDependentRequired(step, value) || fail(index, value)
        case .dependentSchemas: return runDependentSchemas(step, value)
        case .not: return !evaluateAside(step.a, value) || fail(index, value)
        case .condition: return runCondition(step, value)
        case .dynamicReference:
            let target = dynamicTarget(step)
            return evaluate(target, value)
        case .resource: return enter(step.a)
        case .unevaluatedItems: return runUnevaluated(step, value, entry, trailStart, keyEntries: 0)
        case .unevaluatedProperties:
            return runUnevaluated(step, value, entry, trailStart, keyEntries: 1)
        case .refuse: return fail(index, value)
        default: return true
        }
    }

    // MARK: - Values

    private mutating func isLengthWithin(_ entry: JSONEntry, _ low: Int32, _ high: Int32) -> Bool {
        work &-= entry.length &>> 3
        let length = document.length(entry)
        return length >= Int(low) && length <= Int(high)
    }

    private mutating func isWithin(_ step: SchemaStep, _ entry: JSONEntry) -> Bool {
        let order: Int
        if let bound = smallBound(step), let part = document.integerPart(entry) {
            order = part.compared(to: bound)
        } else {
            let constants = code.constants
            order = document.compare(entry, constants, constants.tape[Int(step.a)])
        }
        switch step.operation {
        case .minimum: return order >= 0
        case .maximum: return order <= 0
        case .exclusiveMinimum: return order > 0
        default: return order < 0
        }
    }

    /// A bound that is an integer is in the step: `b` says so, and `c` is it.
    @inline(__always)
    private func smallBound(_ step: SchemaStep) -> Int? { step.b == 0 ? nil : Int(step.c) }

    private mutating func isAnyOf(_ step: SchemaStep, _ value: Int) -> Bool {
        for index in Int(step.a)..<Int(step.a &+ step.b)
        where document.areEqual(value, code.constants, Int(code.operands[index]), &work) {
            return true
        }
        return false
    }

    mutating func matches(_ pattern: Int32, _ entry: JSONEntry) -> Bool {
        let pattern = code.patterns[Int(pattern)]
        work &-= entry.length &* pattern.workPerCharacter &>> 2
        return work >= 0 && pattern.matches(document.bytes, entry, threads)
    }

    // MARK: - Logic

    private mutating func runAllOf(_ step: SchemaStep, _ value: Int) -> Bool {
        for index in Int(step.a)..<Int(step.a &+ step.b)
        where !evaluate(Int(code.operands[index]), value) {
            return false
        }
        return true
    }

    private mutating func runAnyOf(_ step: SchemaStep, _ value: Int) -> Bool {
        var isValid = false
        for index in Int(step.a)..<Int(step.a &+ step.b)
        where evaluate(Int(code.operands[index]), value) {
            // Each that holds marks what it has looked at.
            if !code.tracksEvaluated { return true }
            isValid = true
        }
        return isValid
    }

    private mutating func runOneOf(_ step: SchemaStep, _ value: Int) -> Bool {
        var count = 0
        for index in Int(step.a)..<Int(step.a &+ step.b)
        where evaluate(Int(code.operands[index]), value) {
            count &+= 1
            if count > 1 { return false }
        }
        return count == 1
    }

    /// Marks nothing.
    private mutating func evaluateAside(_ schema: Int32, _ value: Int) -> Bool {
        evaluateChild(schema, value)
    }

    private mutating func runCondition(_ step: SchemaStep, _ value: Int) -> Bool {
        let branch = evaluate(Int(step.a), value) ? step.b : step.c
        return branch < 0 || evaluate(Int(branch), value)
    }

    // MARK: - Dynamic scope

    private mutating func enter(_ resource: Int32) -> Bool {
        if scopeCount > 0 && scopes[scopeCount &- 1] == resource { return true }
        scopes[scopeCount] = resource
        scopeCount &+= 1
        return true
    }

    /// The outermost resource on the way here that has the anchor.
    private mutating func dynamicTarget(_ step: SchemaStep) -> Int {
        for scope in 0..<scopeCount {
            var index = 0
            while index < code.dynamicAnchors.count {
                if code.dynamicAnchors[index] == scopes[scope]
                    && code.dynamicAnchors[index &+ 1] == step.b
                {
                    return Int(code.dynamicAnchors[index &+ 2])
                }
                index &+= 3
            }
        }
        return Int(step.a)
    }
}
