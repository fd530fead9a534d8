/// One evaluation of a schema over a tape. It recurses where subschemas do, at most `depthMax`
/// deep, and allocates nothing. After a number of steps it remembers what subschemas said of values:
/// so each looks at a value once, however many ways lead there.
struct SchemaEvaluator {
    // Methods are mutating even where they change nothing: the others would be handed a copy of all
    // this.

    let code: SchemaProgram
    let document: Values
    let marks: EvaluationMarks
    let memory: EvaluationMemory
    let patternSets: PatternSets
    let table: EntryTable
    let comparison: ValueComparison
    let scopes: EvaluationScopes

    let stepsMax: Int
    var work: Work
    /// With fewer steps left it remembers what it finds.
    private var remembersBelow: Int
    private var hasForgotten = false
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
        memory = scratch.memory
        patternSets = scratch.patterns
        table = scratch.keyTable
        comparison = scratch.comparison
        scopes = scratch.scopes
        let steps = min(code.cost.steps(document), scratch.stepsLeft)
        stepsMax = steps
        work = Work(steps)
        remembersBelow = code.hasShared ? max(steps &- 512 &- 8 &* document.entryCount, 0) : 0
        if code.tracksEvaluated { marks.clear(entries: document.entryCount) }
    }

    mutating func run() -> SchemaOutcome {
        if code.usesScopes { scopes.clear() }
        let isValid = evaluate(code.root, 0)
        if work.longNumberOffset >= 0 { return .numberTooLong(offset: work.longNumberOffset) }
        if isOut || work.left < 0 { return .tooComplex }
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
        switch start.rest {
        case .nothing: return true
        case .checks: return runChecks(Int(start.step), value)
        case .steps: return runSteps(Int(start.step), value)
        }
    }

    /// Not for a number whose text has neither fraction nor exponent: those are. The flag means
    /// something else for strings.
    @inline(never)
    private mutating func isWhole(_ entry: JSONEntry) -> Bool {
        entry.kind != .number || document.isInteger(entry)
    }

    @inline(never)
    private mutating func runSteps(_ first: Int, _ value: Int) -> Bool {
        if depth >= Self.depthMax || work.left < remembersBelow { return runRarely(first, value) }
        return runEach(first, value)
    }

    @inline(never)
    private mutating func runRarely(_ first: Int, _ value: Int) -> Bool {
        // Out of work, no branch is begun: there may be more of them than time.
        if depth >= Self.depthMax || work.left < 0 {
            isOut = true
            return false
        }
        if !hasForgotten { memory.forgetAll() }
        hasForgotten = true
        let way = scopes.way(scopeCount)
        guard code.isShared[first] && way != EvaluationScopes.noWay else {
            return runEach(first, value)
        }
        if let known = memory.find(first, value, way), !known.isValid || !known.hasMarked {
            work.left &-= 1
            return known.isValid || fail(Int(known.failedStep), Int(known.failedEntry))
        }
        let trailStart = trail
        let isValid = runEach(first, value)
        if isOut || work.left < 0 { return false }
        memory.put(
            first, value, way,
            EvaluationMemory.Finding(
                failedStep: isValid ? -1 : failedStep, failedEntry: failedEntry,
                hasMarked: trail != trailStart))
        return isValid
    }

    @inline(__always)
    private mutating func runEach(_ first: Int, _ value: Int) -> Bool {
        depth &+= 1
        let scopesBefore = scopeCount
        let trailStart = trail
        let kind = document.tape[value].kindBit
        var index = first
        var isValid = true
        repeat {
            let operation = code.steps[index].operation
            if operation == .end { break }
            work.left &-= 1
            if UInt32(code.steps[index].kinds) & kind != 0 {
                isValid =
                    operation.isCheck
                    ? check(operation, index, value) || fail(index, value)
                    : apply(operation, index, value, trailStart)
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
        return code.tracksEvaluated
            ? evaluateMarked(Int(schema), value) : evaluate(Int(schema), value)
    }

    /// The same where marks are made, which are taken back: so it makes no difference if they were.
    @inline(never)
    private mutating func evaluateMarked(_ schema: Int, _ value: Int) -> Bool {
        let first = Int(code.starts[schema].step)
        if work.left < remembersBelow && hasForgotten && code.isShared[first],
            let known = memory.find(first, value, scopes.way(scopeCount)), known.isValid
        {
            work.left &-= 1
            return true
        }
        let start = trail
        let isValid = evaluate(schema, value)
        marks.rewind(to: start, &trail)
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

    // MARK: - Other schemas

    @inline(__always)
    private mutating func apply(
        _ operation: SchemaOperation, _ index: Int, _ value: Int, _ trailStart: Int
    ) -> Bool {
        switch operation {
        case .members: return runMembers(index, value)
        case .elements: return runElements(index, value)
        case .reference: return evaluate(Int(code.steps[index].a), value)
        default: return applyRarely(code.steps[index], index, value, trailStart)
        }
    }

    @inline(never)
    private mutating func applyRarely(
        _ step: SchemaStep, _ index: Int, _ value: Int, _ trailStart: Int
    ) -> Bool {
        switch step.operation {
        case .allOf: return runAllOf(step, value)
        case .anyOf: return runAnyOf(step, value) || fail(index, value)
        case .oneOf: return runOneOf(step, value) || fail(index, value)
        case .not: return !evaluateAside(step.a, value) || fail(index, value)
        case .condition: return runCondition(step, value)
        case .contains: return runContains(step, value) || fail(index, value)
        case .dependentRequired: return runDependentRequired(step, value) || fail(index, value)
        case .dependentSchemas: return runDependentSchemas(step, value)
        case .dynamicReference:
            let target = dynamicTarget(step)
            return evaluate(target, value)
        case .resource: return enter(step.a)
        case .unevaluatedItems: return runUnevaluated(step, value, trailStart, keyEntries: 0)
        case .unevaluatedProperties: return runUnevaluated(step, value, trailStart, keyEntries: 1)
        default: return true
        }
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
        scopes.enter(resource, &scopeCount)
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
