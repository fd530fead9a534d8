/// Reads a condition.
struct ConditionParser {
    private let source: SchemaSource
    private(set) var clauses: [ConditionClause] = []
    private(set) var tests: [ConditionTest] = []
    private(set) var bounds: [ConditionBound] = []
    private(set) var patterns: [Pattern] = []
    private(set) var groups: [ConditionGroup] = []
    private(set) var slots: [ValueSlot] = []
    private(set) var cost = SchemaCost()

    private static let clausesMax = 256
    private static let testsMax = 2_000
    /// Of constants within each other.
    static let depthMax = 128

    init(_ source: SchemaSource) {
        self.source = source
    }

    mutating func parse(_ pointers: inout PointerSet) throws(RuleError) {
        guard source.kind(0) == .object else {
            throw RuleError("a condition is an object of pointers and alternatives")
        }
        for (key, value) in source.members(0) where key == "$or" {
            guard source.kind(value) == .array, !source.elements(value).isEmpty else {
                throw RuleError("is a list of conditions", keyword: "$or")
            }
            for branch in source.elements(value) {
                guard source.kind(branch) == .object else {
                    throw RuleError("is a list of conditions", keyword: "$or")
                }
                try addGroup(source.members(branch), &pointers)
                groups[groups.count - 1].isLast = false
            }
            groups[groups.count - 1].isLast = true
        }
        try addGroup(source.members(0).filter { $0.key != "$or" }, &pointers)
    }

    private mutating func addGroup(
        _ members: [(key: String, value: Int)], _ pointers: inout PointerSet
    ) throws(RuleError) {
        let start = clauses.count
        for (key, value) in members {
            guard key != "$or" else { throw RuleError("is not within another one", keyword: key) }
            let pointer = try JSONPointer(key)
            do throws(RuleError) {
                try addClause(pointers.slot(of: pointer), value)
            } catch {
                throw error.at(pointer)
            }
        }
        guard clauses.count <= Self.clausesMax, tests.count <= Self.testsMax,
            cost.perEntry <= SchemaCost.perEntryMax, cost.perByte <= SchemaCost.perByteMax
        else { throw RuleError("the condition is too large") }
        groups.append(
            ConditionGroup(
                clauses: Int32(start), count: Int32(clauses.count - start), isLast: true))
    }

    private mutating func addClause(_ slot: Int, _ value: Int) throws(RuleError) {
        let alternatives = source.kind(value) == .array ? source.elements(value) : [value]
        guard !alternatives.isEmpty else { throw RuleError("has no alternative") }
        var found: [ConditionTest] = []
        for alternative in alternatives { found.append(try test(alternative)) }
        found = gathered(found)
        let start = tests.count
        tests += found
        clauses.append(
            ConditionClause(slot: Int32(slot), tests: Int32(start), count: Int32(found.count)))
    }

    /// More constants than these are looked up by hash.
    private static let comparedMax = 8

    /// What is equal to one of many constants is found by one look.
    private mutating func gathered(_ tests: [ConditionTest]) -> [ConditionTest] {
        let constants = tests.filter { $0.kind == .equal }.map { Int($0.a) }
        var rest = tests
        if constants.count > Self.comparedMax {
            let table = source.values.table(of: constants, depth: Self.depthMax)
            let kinds = constants.reduce(0) { $0 | source.tape[$1].kindBit }
            rest = tests.filter { $0.kind != .equal }
            rest.append(
                ConditionTest(
                    kind: .among, a: Int32(slots.count), b: Int32(table.count), c: Int32(kinds)))
            slots += table
        }
        for test in rest { count(test) }
        return rest
    }

    private mutating func count(_ test: ConditionTest) {
        cost.perEntry += 1
        cost.perByte += test.kind == .wildcard ? patterns[Int(test.a)].workPerCharacter : 1
        if test.kind == .equal || test.kind == .among { cost.perLevel += 1 }
    }

    private mutating func test(_ value: Int) throws(RuleError) -> ConditionTest {
        switch source.kind(value) {
        case .object: break
        case .array: throw RuleError("an alternative is a value or an object with a matcher")
        default: return ConditionTest(kind: .equal, a: Int32(value))
        }
        let members = source.members(value)
        guard members.count == 1, let (name, argument) = members.first else {
            throw RuleError("an object here has one matcher, such as prefix")
        }
        do throws(RuleError) {
            return try test(name, argument)
        } catch {
            throw RuleError(error.message, keyword: error.keyword ?? name)
        }
    }

    private mutating func test(_ name: String, _ value: Int) throws(RuleError) -> ConditionTest {
        let kind = source.kind(value)
        switch name {
        case "exists":
            guard kind == .true || kind == .false else { throw RuleError("is true or false") }
            return ConditionTest(kind: kind == .true ? .exists : .missing)
        case "prefix", "suffix", "equals-ignore-case":
            guard kind == .string else { throw RuleError("is a string") }
            return ConditionTest(
                kind: name == "prefix" ? .prefix : name == "suffix" ? .suffix : .equalIgnoringCase,
                a: Int32(value), b: Int32(source.values.length(source.tape[value])))
        case "wildcard":
            guard kind == .string else { throw RuleError("is a string") }
            patterns.append(try Pattern(Self.pattern(source.string(value))))
            return ConditionTest(kind: .wildcard, a: Int32(patterns.count - 1))
        case "numeric": return try numeric(value)
        case "anything-but": return try anythingBut(value)
        default:
            throw RuleError(
                "is no matcher; there are exists, prefix, suffix, equals-ignore-case, wildcard, "
                    + "numeric and anything-but")
        }
    }

    /// `*` stands for any text, `\*` for itself.
    private static func pattern(_ text: String) -> String {
        var pattern = "^"
        var isEscaped = false
        for scalar in text.unicodeScalars {
            if scalar == "\\" && !isEscaped {
                isEscaped = true
                continue
            }
            if scalar == "*" && !isEscaped {
                pattern += "[^]*"
            } else {
                pattern += "\\u{\(String(scalar.value, radix: 16))}"
            }
            isEscaped = false
        }
        return pattern + "$"
    }

    /// `["<", 5]` or `[">=", 0, "<", 100]`.
    private mutating func numeric(_ value: Int) throws(RuleError) -> ConditionTest {
        let parts = source.kind(value) == .array ? source.elements(value) : []
        guard parts.count == 2 || parts.count == 4 else {
            throw RuleError("is a comparison or two, such as [\">=\", 0, \"<\", 100]")
        }
        let start = bounds.count
        for index in stride(from: 0, to: parts.count, by: 2) {
            let orders: [String: ConditionBound.Order] = [
                "<": .less, "<=": .atMost, "=": .equal, ">=": .atLeast, ">": .greater,
            ]
            guard source.kind(parts[index]) == .string,
                let order = orders[source.string(parts[index])]
            else { throw RuleError("compares with <, <=, =, >= or >") }
            guard source.kind(parts[index + 1]) == .number else {
                throw RuleError("compares with numbers")
            }
            bounds.append(ConditionBound(order: order, entry: Int32(parts[index + 1])))
        }
        return ConditionTest(kind: .numeric, a: Int32(start), b: Int32(bounds.count - start))
    }

    private mutating func anythingBut(_ value: Int) throws(RuleError) -> ConditionTest {
        let values = source.kind(value) == .array ? source.elements(value) : [value]
        var found: [ConditionTest] = []
        for value in values {
            let test = try test(value)
            switch test.kind {
            case .exists, .missing, .anythingBut, .numeric:
                throw RuleError("takes values, prefix, suffix, wildcard and equals-ignore-case")
            default: found.append(test)
            }
        }
        guard !found.isEmpty else { throw RuleError("has no alternative") }
        found = gathered(found)
        let start = tests.count
        tests += found
        return ConditionTest(kind: .anythingBut, a: Int32(start), b: Int32(found.count))
    }
}
