extension SchemaKeyword {
    // MARK: - Arrays

    static var arrays: [SchemaKeyword] {
        [
            count("minItems", .minItems, .arrays), count("maxItems", .maxItems, .arrays),
            SchemaKeyword(name: "items") { compiler, _ throws(RuleError) in
                try compileElements(&compiler)
            },
            SchemaKeyword(name: "prefixItems") { compiler, _ throws(RuleError) in
                // With `items`, if that is there.
                if compiler.source.member(compiler.schema, "items") == nil {
                    try compileElements(&compiler)
                }
            },
            SchemaKeyword(name: "contains", compile: compileContains),
            SchemaKeyword(name: "uniqueItems") { compiler, value throws(RuleError) in
                switch compiler.source.kind(value) {
                case .true: try compiler.emit(.uniqueItems, "uniqueItems", kinds: .arrays)
                case .false: break
                default: throw compiler.problem("is true or false", "uniqueItems")
                }
            },
        ]
    }

    /// `a` is where the first elements' schemas are, `b` how many; `c` is the others' schema.
    private static func compileElements(_ compiler: inout SchemaCompiler) throws(RuleError) {
        let source = compiler.source
        var first: [Int32] = []
        if let list = source.member(compiler.schema, "prefixItems") {
            guard source.kind(list) == .array else {
                throw compiler.problem("is a list of schemas", "prefixItems")
            }
            for element in source.elements(list) {
                first.append(try compiler.subschema(element, "prefixItems"))
            }
        }
        var rest: Int32 = -1
        if let items = source.member(compiler.schema, "items") {
            rest = try compiler.subschema(items, "items")
        }
        let start = Int32(compiler.parts.operands.count)
        compiler.parts.operands += first
        try compiler.emit(
            .elements, rest < 0 ? "prefixItems" : "items", kinds: .arrays, a: start,
            b: Int32(first.count), c: rest)
    }

    /// `b` and `c` are the least and the greatest number.
    private static func compileContains(
        _ compiler: inout SchemaCompiler, _ value: Int
    ) throws(RuleError) {
        var bounds: [String: Int32] = ["minContains": 1, "maxContains": .max]
        for name in ["minContains", "maxContains"] {
            guard let bound = compiler.source.member(compiler.schema, name) else { continue }
            guard let count = compiler.source.count(bound) else {
                throw compiler.problem("is an integer from zero on", name)
            }
            bounds[name] = count
        }
        let schema = try compiler.subschema(value, "contains")
        try compiler.emit(
            .contains, "contains", kinds: .arrays, a: schema, b: bounds["minContains"] ?? 1,
            c: bounds["maxContains"] ?? .max)
    }

    // MARK: - Objects

    private static let ofMembers = [
        "properties", "patternProperties", "additionalProperties", "propertyNames", "required",
    ]

    static var objects: [SchemaKeyword] {
        [
            count("minProperties", .minProperties, .objects),
            count("maxProperties", .maxProperties, .objects),
        ]
            + ofMembers.map { name in
                SchemaKeyword(name: name) { compiler, _ throws(RuleError) in
                    // All of them at once, with the first that is there.
                    let source = compiler.source
                    let schema = compiler.schema
                    if name == ofMembers.first(where: { source.member(schema, $0) != nil }) {
                        try compileMembers(&compiler)
                    }
                }
            } + [
                SchemaKeyword(name: "dependentRequired", compile: compileDependentRequired),
                SchemaKeyword(name: "dependentSchemas", compile: compileDependentSchemas),
            ]
    }

    private static func object(
        _ name: String, _ compiler: SchemaCompiler
    ) throws(RuleError) -> [(key: String, value: Int)] {
        guard let value = compiler.source.member(compiler.schema, name) else { return [] }
        guard compiler.source.kind(value) == .object else {
            throw compiler.problem("is an object", name)
        }
        return compiler.source.members(value)
    }

    private static func strings(
        _ list: Int, _ name: String, _ compiler: SchemaCompiler
    ) throws(RuleError) -> [String] {
        let source = compiler.source
        guard source.kind(list) == .array,
            source.elements(list).allSatisfy({ source.kind($0) == .string })
        else { throw compiler.problem("is a list of names", name) }
        return source.elements(list).map { source.string($0) }
    }

    private static func compileMembers(_ compiler: inout SchemaCompiler) throws(RuleError) {
        var members = SchemaMembers()
        if let value = compiler.source.member(compiler.schema, "additionalProperties") {
            members.additional = try compiler.subschema(value, "additionalProperties")
        }
        var slots: [MemberSlot] = []
        var known: [String: Int] = [:]
        for (name, value) in try object("properties", compiler) {
            var slot = compiler.parts.slot(name)
            slot.isDeclared = true
            let schema = try compiler.subschema(value, "properties")
            slot.schema = compiler.source.kind(value) == .true ? -1 : schema
            known[name] = slots.count
            slots.append(slot)
        }
        if let list = compiler.source.member(compiler.schema, "required") {
            for name in try strings(list, "required", compiler) {
                let index = known[name] ?? slots.count
                if index == slots.count {
                    slots.append(compiler.parts.slot(name))
                    slots[index].schema = members.additional
                    known[name] = index
                }
                if !slots[index].isRequired { members.requiredCount += 1 }
                slots[index].isRequired = true
            }
            members.requiredPlace = compiler.place("required")
        }
        compiler.parts.table(slots, of: &members)
        var pairs: [Int32] = []
        for (text, value) in try object("patternProperties", compiler) {
            pairs.append(try compiler.pattern(text, "patternProperties"))
            pairs.append(try compiler.subschema(value, "patternProperties"))
        }
        members.patterns = Int32(compiler.parts.operands.count)
        members.patternCount = Int32(pairs.count / 2)
        compiler.parts.operands += pairs
        if let value = compiler.source.member(compiler.schema, "propertyNames") {
            members.names = try compiler.subschema(value, "propertyNames")
        }
        compiler.parts.members.append(members)
        try compiler.emit(
            .members, "properties", kinds: .objects, a: Int32(compiler.parts.members.count - 1))
    }

    /// `a` is where the operands are, `b` how many names have requirements: for each its slot, how
    /// many it requires, and their slots.
    private static func compileDependentRequired(
        _ compiler: inout SchemaCompiler, _ value: Int
    ) throws(RuleError) {
        var operands: [Int32] = []
        let entries = try object("dependentRequired", compiler)
        for (name, list) in entries {
            let names = try strings(list, "dependentRequired", compiler)
            operands.append(addSlot(name, &compiler))
            operands.append(Int32(names.count))
            for name in names { operands.append(addSlot(name, &compiler)) }
        }
        let start = Int32(compiler.parts.operands.count)
        compiler.parts.operands += operands
        try compiler.emit(
            .dependentRequired, "dependentRequired", kinds: .objects, a: start,
            b: Int32(entries.count))
    }

    /// `a` is where the operands are, `b` how many: pairs of a slot and a subschema.
    private static func compileDependentSchemas(
        _ compiler: inout SchemaCompiler, _ value: Int
    ) throws(RuleError) {
        var operands: [Int32] = []
        let entries = try object("dependentSchemas", compiler)
        for (name, schema) in entries {
            operands.append(addSlot(name, &compiler))
            operands.append(try compiler.inPlaceSubschema(schema, "dependentSchemas"))
        }
        let start = Int32(compiler.parts.operands.count)
        compiler.parts.operands += operands
        try compiler.emit(
            .dependentSchemas, "dependentSchemas", kinds: .objects, a: start,
            b: Int32(entries.count))
    }

    private static func addSlot(_ name: String, _ compiler: inout SchemaCompiler) -> Int32 {
        let slot = compiler.parts.slot(name)
        compiler.parts.slots.append(slot)
        return Int32(compiler.parts.slots.count - 1)
    }
}
