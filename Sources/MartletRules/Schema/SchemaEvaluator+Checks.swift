/// Checks that look at a value alone, by no other schema.
extension SchemaEvaluator {
    /// A subschema of nothing else. Nothing is evaluated within it, so nothing is put back after it:
    /// two thirds of the subschemas of a typical document are such.
    @inline(never)
    mutating func runChecks(_ first: Int, _ value: Int) -> Bool {
        let kind = document.tape[value].kindBit
        var index = first
        while true {
            let operation = code.steps[index].operation
            if operation == .end { return true }
            work.left &-= 1
            if UInt32(code.steps[index].kinds) & kind != 0 && !check(operation, index, value) {
                return fail(index, value)
            }
            index &+= 1
        }
    }

    @inline(__always)
    mutating func check(_ operation: SchemaOperation, _ index: Int, _ value: Int) -> Bool {
        let bound = Int(code.steps[index].a)
        switch operation {
        case .minLength:
            // A code point is one to twelve bytes.
            let length = document.tape[value].length
            return length >= 12 &* bound || isLengthWithin(value, bound, .max)
        case .maxLength:
            return document.tape[value].length <= bound || isLengthWithin(value, 0, bound)
        case .minItems, .minProperties: return document.tape[value].count >= bound
        case .maxItems, .maxProperties: return document.tape[value].count <= bound
        case .minimum: return compareWithBound(index, value) >= 0
        case .maximum: return compareWithBound(index, value) <= 0
        case .exclusiveMinimum: return compareWithBound(index, value) > 0
        case .exclusiveMaximum: return compareWithBound(index, value) < 0
        case .oneOfValues: return isAnyOf(index, value)
        case .pattern: return matches(code.steps[index].a, document.tape[value])
        default: return checkRarely(operation, index, value)
        }
    }

    @inline(never)
    private mutating func checkRarely(
        _ operation: SchemaOperation, _ index: Int, _ value: Int
    ) -> Bool {
        let step = code.steps[index]
        let entry = document.tape[value]
        switch operation {
        // Behind a resource's first step.
        case .type:
            return UInt32(truncatingIfNeeded: step.a) & entry.kindBit != 0
                && (step.b == 0 || entry.kind != .number || document.isInteger(entry))
        case .constant:
            return code.constants.areEqual(Int(step.a), document, value, comparison, &work)
        case .oneOfManyValues: return isAmong(step, value)
        case .multipleOf:
            let divisor = code.divisors[Int(step.a)]
            if entry.isTooLong { work.refuse(entry) }
            work.left &-= entry.length
            return work.left >= 0
                && document.decimal(entry).isMultiple(of: divisor.digits, power: divisor.power)
        case .format:
            work.left &-= entry.length
            return StringFormat(rawValue: UInt8(truncatingIfNeeded: step.a))?
                .accepts(document.bytes, entry) ?? false
        case .uniqueItems: return document.areUnique(value, table, comparison, &work)
        case .refuse: return false
        default: return true
        }
    }

    @inline(never)
    private mutating func isLengthWithin(_ value: Int, _ low: Int, _ high: Int) -> Bool {
        let entry = document.tape[value]
        work.left &-= entry.length &>> 3
        let length = document.length(entry)
        return length >= low && length <= high
    }

    /// A bound that is an integer is in the step: `b` says so, and `c` is it.
    @inline(never)
    private mutating func compareWithBound(_ index: Int, _ value: Int) -> Int {
        work.left &-= 2
        if code.steps[index].b != 0, let twice = document.twiceWithFraction(document.tape[value]) {
            return twice &- 2 &* Int(code.steps[index].c)
        }
        return compareWithAnyBound(index, value)
    }

    @inline(never)
    private mutating func compareWithAnyBound(_ index: Int, _ value: Int) -> Int {
        let constants = code.constants
        let bound = constants.tape[Int(code.steps[index].a)]
        return document.compare(document.tape[value], constants, bound, &work)
    }

    @inline(never)
    private mutating func isAnyOf(_ index: Int, _ value: Int) -> Bool {
        let step = code.steps[index]
        let entry = document.tape[value]
        let constants = code.constants
        for place in Int(step.a)..<Int(step.a &+ step.b) {
            let constant = Int(code.operands[place])
            if entry.kind == .string {
                let other = constants.tape[constant]
                work.left &-= 1 &+ entry.length &>> 3
                if other.kind == .string
                    && areEqualStrings(document.bytes, entry, constants.bytes, other)
                {
                    return work.left >= 0
                }
            } else if constants.areEqual(constant, document, value, comparison, &work) {
                return true
            }
        }
        return false
    }

    /// Of so many that they are looked up by hash.
    @inline(never)
    private mutating func isAmong(_ step: SchemaStep, _ value: Int) -> Bool {
        document.tape[value].kindBit & UInt32(truncatingIfNeeded: step.c) != 0
            && code.constants.contains(
                value, of: document, code.enumSlots, start: Int(step.a), count: Int(step.b),
                comparison, &work)
    }

    @inline(never)
    mutating func matches(_ pattern: Int32, _ entry: JSONEntry) -> Bool {
        let pattern = code.patterns[Int(pattern)]
        work.left &-= 1 &+ entry.length &* pattern.workPerCharacter
        return work.left >= 0 && pattern.matches(document.bytes, entry, patternSets)
    }
}
