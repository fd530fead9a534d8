/// Makes steps of a schema. A subschema has a number from the first time that something refers to
/// it, and steps when its turn comes; `starts` leads from one to the other.
struct SchemaCompiler {
    let source: SchemaSource
    let options: SchemaOptions
    var index: SchemaIndex
    var parts = SchemaParts()
    private(set) var warnings: [String] = []
    private var numbers: [Int: Int32] = [:]
    private var waiting: [Int] = []
    /// Subschemas that apply to the same value as the one they are in.
    private var inPlace: [Int32: Set<Int32>] = [:]
    private var current: Int32 = 0
    private var dynamicNames: [String] = []
    private(set) var usesDynamicReferences = false

    /// The schema that is being compiled.
    private(set) var schema = 0
    private(set) var pointer = JSONPointer(tokens: [])

    init(_ source: SchemaSource, options: SchemaOptions) throws(RuleError) {
        self.source = source
        self.options = options
        index = try SchemaIndex(source)
        // A name that one anchor has means the same wherever it is used.
        let names = index.dynamicAnchors.map(\.name)
        usesDynamicReferences = Set(names).count < names.count
    }

    mutating func compile() throws(RuleError) {
        _ = number(of: 0)
        while let next = waiting.popLast() { try compile(next) }
        // What nothing refers to is to be right all the same.
        for schema in index.pointers.keys.sorted() {
            _ = number(of: schema)
            while let next = waiting.popLast() { try compile(next) }
        }
        for anchor in index.dynamicAnchors {
            guard let name = dynamicNames.firstIndex(of: anchor.name) else { continue }
            let known = numbers.count
            let target = number(of: anchor.schema)
            if numbers.count > known {
                while let next = waiting.popLast() { try compile(next) }
            }
            parts.dynamicAnchors += [Int32(anchor.resource), Int32(name), target]
            parts.referrers[Int(target)] += 2
        }
        try refuseCycles()
        parts.followReferences()
        try measure()
    }

    // MARK: - What keywords use

    func problem(_ message: String, _ keyword: String) -> RuleError {
        RuleError(message, at: pointer, keyword: keyword)
    }

    /// The number of a subschema.
    mutating func number(of schema: Int) -> Int32 {
        if let known = numbers[schema] { return known }
        let number = Int32(numbers.count)
        numbers[schema] = number
        parts.starts.append(SchemaStart())
        parts.referrers.append(0)
        waiting.append(schema)
        return number
    }

    /// The number of a subschema, after a look at whether it can be one.
    mutating func subschema(_ schema: Int, _ keyword: String) throws(RuleError) -> Int32 {
        switch source.kind(schema) {
        case .object, .true, .false:
            let number = number(of: schema)
            parts.referrers[Int(number)] += 1
            return number
        default: throw problem("has something that is no schema", keyword)
        }
    }

    /// What an evaluation may cost is known before there is one; too much is an error.
    private mutating func measure() throws(RuleError) {
        let graph = SchemaGraph(parts)
        let levels = options.documentDepthMax
        let depth = graph.depth(levels: levels, atMost: SchemaEvaluator.depthMax)
        let root = JSONPointer(tokens: [])
        if depth > SchemaEvaluator.depthMax && !usesDynamicReferences {
            throw RuleError(
                "needs more than \(SchemaEvaluator.depthMax) subschemas within each other for a"
                    + " document of \(levels) levels", at: root)
        }
        let cost = SchemaCostAnalysis(graph, parts, levels: levels).cost
        if cost.perEntry > SchemaCost.perEntryMax || cost.perByte > SchemaCost.perByteMax {
            throw RuleError(
                "may take \(cost.perEntry) steps for one value and \(cost.perByte) for one byte of"
                    + " it; at most \(SchemaCost.perEntryMax) and \(SchemaCost.perByteMax) are taken",
                at: root)
        }
        parts.cost = cost
    }

    /// The same for one that sees the same value.
    mutating func inPlaceSubschema(_ schema: Int, _ keyword: String) throws(RuleError) -> Int32 {
        let number = try subschema(schema, keyword)
        inPlace[current, default: []].insert(number)
        return number
    }

    mutating func emit(
        _ operation: SchemaOperation, _ keyword: String, kinds: SchemaKinds = .all, a: Int32 = 0,
        b: Int32 = 0, c: Int32 = 0
    ) throws(RuleError) {
        guard parts.steps.count < options.limits.stepsMax else {
            throw problem("makes the schema too large", keyword)
        }
        parts.steps.append(
            SchemaStep(
                operation: operation, kinds: kinds.rawValue, place: place(keyword), a: a, b: b, c: c
            ))
    }

    mutating func place(_ keyword: String) -> Int32 {
        parts.places.append(SchemaPlace(pointer: pointer, keyword: keyword))
        return Int32(parts.places.count - 1)
    }

    mutating func pattern(_ text: String, _ keyword: String) throws(RuleError) -> Int32 {
        if let known = parts.patternTexts.firstIndex(of: text) { return Int32(known) }
        do {
            parts.patterns.append(try Pattern(text))
        } catch {
            throw error.at(pointer, keyword: keyword)
        }
        parts.patternTexts.append(text)
        return Int32(parts.patterns.count - 1)
    }

    // MARK: - One schema

    private mutating func compile(_ schema: Int) throws(RuleError) {
        self.schema = schema
        current = number(of: schema)
        pointer = index.pointers[schema] ?? JSONPointer(tokens: [])
        let first = parts.steps.count
        switch source.kind(schema) {
        case .true: break
        case .false: try emit(.refuse, "false")
        case .object: try compileObject()
        default: throw RuleError("a schema is an object or a boolean", at: pointer)
        }
        try emit(.end, "")
        parts.starts[Int(number(of: schema))] = parts.start(at: first)
    }

    private mutating func compileObject() throws(RuleError) {
        let members = source.members(schema)
        if usesDynamicReferences {
            try emit(.resource, "$id", a: Int32(index.resource(of: schema)))
        }
        for (key, value) in members { try checkName(key, value) }
        var rest = Dictionary(members.map { ($0.key, $0.value) }) { first, _ in first }
        // What costs little comes first; what looks at others' marks comes last.
        for keyword in SchemaKeyword.inOrder {
            if let value = rest.removeValue(forKey: keyword.name) {
                try keyword.compile(&self, value)
            }
        }
    }

    private mutating func checkName(_ key: String, _ value: Int) throws(RuleError) {
        if key == "$schema" {
            let dialect = "https://json-schema.org/draft/2020-12/schema"
            let uri = source.kind(value) == .string ? source.string(value) : ""
            guard uri == dialect || uri == dialect + "#" else {
                throw problem("is draft 2020-12, not \(uri)", key)
            }
        }
        if SchemaKeyword.ofOlderDrafts.contains(key) {
            throw problem(
                "belongs to an older draft; draft 2020-12 has another keyword for it", key)
        }
        guard !SchemaKeyword.names.contains(key) && !SchemaKeyword.annotations.contains(key) else {
            return
        }
        if options.refusesUnknownKeywords {
            throw problem("is not a keyword of draft 2020-12", key)
        }
        warnings.append("\(problem("is not a keyword of draft 2020-12 and has no effect", key))")
    }

    // MARK: - References

    mutating func compileReference(_ value: Int, _ keyword: String) throws(RuleError) {
        guard source.kind(value) == .string else { throw problem("is a string", keyword) }
        let text = source.string(value)
        guard let found = try index.find(text, from: index.resource(of: schema)) else {
            throw problem("\(text) cannot be resolved within this file", keyword)
        }
        let target = try inPlaceSubschema(found.schema, keyword)
        let named = index.dynamicAnchors.filter { $0.name == found.anchor }
        let isDynamic = named.count > 1 && named.contains { $0.schema == found.schema }
        guard keyword == "$dynamicRef" && isDynamic, let anchor = found.anchor else {
            return try emit(.reference, keyword, a: target)
        }
        if !dynamicNames.contains(anchor) { dynamicNames.append(anchor) }
        let name = Int32(dynamicNames.firstIndex(of: anchor) ?? 0)
        // Which one it is comes out only with the value: the depth of the evaluation bounds cycles.
        inPlace[current]?.remove(target)
        try emit(.dynamicReference, keyword, a: target, b: name)
    }

    /// A schema that applies itself to the same value again would never end.
    private func refuseCycles() throws(RuleError) {
        var isDone: Set<Int32> = []
        let schemas = Dictionary(numbers.map { ($0.value, $0.key) }) { first, _ in first }
        for start in inPlace.keys.sorted() where !isDone.contains(start) {
            var path: [(schema: Int32, rest: [Int32])] = [(start, Array(inPlace[start] ?? []))]
            var onPath: Set<Int32> = [start]
            while let top = path.last {
                guard let next = top.rest.last else {
                    isDone.insert(top.schema)
                    onPath.remove(top.schema)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].rest.removeLast()
                if onPath.contains(next) {
                    throw RuleError(
                        "applies itself to the same value without end",
                        at: schemas[next].flatMap { index.pointers[$0] } ?? pointer, keyword: "$ref"
                    )
                }
                if isDone.contains(next) { continue }
                onPath.insert(next)
                path.append((next, Array(inPlace[next] ?? [])))
            }
        }
    }
}

/// What compiling makes, before it goes into cells.
struct SchemaParts {
    var steps: [SchemaStep] = []
    var starts: [SchemaStart] = []
    var operands: [Int32] = []
    var members: [SchemaMembers] = []
    var slots: [MemberSlot] = []
    var names: [UInt8] = []
    var enumSlots: [ValueSlot] = []
    var divisors: [SchemaDivisor] = []
    var patterns: [Pattern] = []
    var patternTexts: [String] = []
    var dynamicAnchors: [Int32] = []
    var places: [SchemaPlace] = []
    var tracksEvaluated = false
    /// How many others lead to each subschema.
    var referrers: [Int] = []
    var cost = SchemaCost()

    /// The start of a subschema whose steps begin there.
    func start(at first: Int) -> SchemaStart {
        var start = SchemaStart(step: Int32(first))
        if steps[first].operation == .type {
            start.step += 1
            start.kinds = UInt8(truncatingIfNeeded: steps[first].a)
            start.isInteger = steps[first].b != 0
        }
        var last = Int(start.step)
        while steps[last].operation != .end && steps[last].operation.isCheck { last += 1 }
        start.rest = steps[last].operation != .end ? .steps : last > start.step ? .checks : .nothing
        return start
    }

    /// Subschemas that are nothing but a `$ref` become the ones they name. There are no cycles.
    mutating func followReferences() {
        for index in starts.indices {
            var start = starts[index]
            while start.kinds == SchemaKinds.all.rawValue, !start.isInteger, start.rest == .steps,
                steps[Int(start.step)].operation == .reference,
                steps[Int(start.step) + 1].operation == .end
            {
                start = starts[Int(steps[Int(start.step)].a)]
            }
            starts[index] = start
        }
    }

    /// A slot that names a member.
    mutating func slot(_ name: String) -> MemberSlot {
        let bytes = Array(name.utf8)
        let offset = names.count
        names += bytes
        return MemberSlot(
            hash: KeySeed.process.hash(bytes), nameOffset: Int32(offset),
            nameStart: bytes.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) },
            nameLength: Int32(bytes.count))
    }

    /// A table of slots by hash, at most half full; larger, within reason, where each then has a
    /// place of its own.
    mutating func table(_ entries: [MemberSlot], of members: inout SchemaMembers) {
        if entries.isEmpty { return }
        var least: UInt32 = 1
        while 1 << least < 2 * entries.count { least += 1 }
        let bits =
            (least...least + 2).first { bits in
                Set(entries.map { $0.hash >> (32 - bits) }).count == entries.count
            } ?? least
        let count = 1 << Int(bits)
        let start = slots.count
        slots += [MemberSlot](repeating: MemberSlot(), count: count)
        for entry in entries {
            var place = Int(entry.hash >> (32 - bits))
            while slots[start + place].nameOffset >= 0 { place = (place + 1) & (count - 1) }
            slots[start + place] = entry
        }
        members.table = Int32(start)
        members.tableCount = Int32(count)
        members.tableShift = 32 - bits
    }

    func program(_ source: SchemaSource) -> SchemaProgram {
        var shared = [Bool](repeating: false, count: steps.count)
        var ways: [Int32: Int] = [:]
        for (start, count) in zip(starts, referrers) {
            ways[start.step, default: 0] += count
            shared[Int(start.step)] = ways[start.step, default: 0] > 1
        }
        return SchemaProgram(
            steps: Cells(steps), starts: Cells(starts), operands: Cells(operands),
            members: Cells(members), slots: Cells(slots), names: Cells(names),
            enumSlots: Cells(enumSlots), divisors: Cells(divisors), patterns: Cells(patterns),
            dynamicAnchors: Cells(dynamicAnchors), text: source.text, tape: source.tape, root: 0,
            tracksEvaluated: tracksEvaluated, usesScopes: !dynamicAnchors.isEmpty,
            isShared: Cells(shared), hasShared: shared.contains(true), cost: cost)
    }
}

/// Kinds of values that a keyword applies to.
struct SchemaKinds: OptionSet {
    let rawValue: UInt8

    static let numbers = SchemaKinds(rawValue: 1 << JSONKind.number.rawValue)
    static let strings = SchemaKinds(rawValue: 1 << JSONKind.string.rawValue)
    static let arrays = SchemaKinds(rawValue: 1 << JSONKind.array.rawValue)
    static let objects = SchemaKinds(rawValue: 1 << JSONKind.object.rawValue)
    static let all = SchemaKinds(rawValue: 0x7F)
}
