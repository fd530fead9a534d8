/// A keyword of draft 2020-12 and how it is compiled.
struct SchemaKeyword {
    let name: String
    let compile: (inout SchemaCompiler, Int) throws(RuleError) -> Void

    /// In the order of their steps.
    static var inOrder: [SchemaKeyword] {
        values + numbers + strings + arrays + objects + references + applicators + unevaluated
    }

    static let names = Set(inOrder.map(\.name) + alongside)

    /// Compiled with another keyword.
    private static let alongside = [
        "patternProperties", "additionalProperties", "propertyNames", "required", "prefixItems",
        "minContains", "maxContains", "then", "else",
    ]

    /// These say something about a value and check nothing.
    static let annotations: Set<String> = [
        "$schema", "$id", "$anchor", "$dynamicAnchor", "$defs", "$comment", "$vocabulary", "title",
        "description", "default", "deprecated", "readOnly", "writeOnly", "examples", "format",
        "contentEncoding", "contentMediaType", "contentSchema",
    ]

    /// Without effect in draft 2020-12, though whoever writes them expects one.
    static let ofOlderDrafts: Set<String> = [
        "additionalItems", "dependencies", "$recursiveRef", "$recursiveAnchor", "divisibleBy",
        "disallow", "extends",
    ]

    // MARK: - Any value

    private static var values: [SchemaKeyword] {
        [
            SchemaKeyword(name: "type", compile: compileType),
            SchemaKeyword(name: "const") { compiler, value throws(RuleError) in
                try compiler.emit(.constant, "const", a: Int32(value))
            },
            SchemaKeyword(name: "enum") { compiler, value throws(RuleError) in
                guard compiler.source.kind(value) == .array else {
                    throw compiler.problem("is a list", "enum")
                }
                try compileEnum(&compiler, compiler.source.elements(value))
            },
        ]
    }

    /// More values than these are looked up by hash.
    private static let comparedMax = 8

    /// `a` is where the values are, `b` how many; or a table of them, with a bit in `c` for each kind.
    private static func compileEnum(
        _ compiler: inout SchemaCompiler, _ values: [Int]
    ) throws(RuleError) {
        guard values.count > comparedMax else {
            let start = Int32(compiler.parts.operands.count)
            compiler.parts.operands += values.map { Int32($0) }
            return try compiler.emit(.oneOfValues, "enum", a: start, b: Int32(values.count))
        }
        let source = compiler.source
        let start = Int32(compiler.parts.enumSlots.count)
        let slots = source.values.table(of: values, depth: compiler.options.limits.depthMax)
        compiler.parts.enumSlots += slots
        let kinds = values.reduce(0) { $0 | source.tape[$1].kindBit }
        try compiler.emit(
            .oneOfManyValues, "enum", a: start, b: Int32(slots.count), c: Int32(kinds))
    }

    /// `a` has a bit for each kind, `b` is 1 where numbers are to be integers.
    private static func compileType(
        _ compiler: inout SchemaCompiler, _ value: Int
    ) throws(RuleError) {
        let source = compiler.source
        let names = source.kind(value) == .array ? source.elements(value) : [value]
        var kinds: UInt8 = 0
        var isInteger = false
        for name in names {
            guard source.kind(name) == .string else {
                throw compiler.problem("is a name or a list of names", "type")
            }
            switch source.string(name) {
            case "null": kinds |= 1 << JSONKind.null.rawValue
            case "boolean": kinds |= 1 << JSONKind.false.rawValue | 1 << JSONKind.true.rawValue
            case "number": kinds |= SchemaKinds.numbers.rawValue
            case "integer": isInteger = true
            case "string": kinds |= SchemaKinds.strings.rawValue
            case "array": kinds |= SchemaKinds.arrays.rawValue
            case "object": kinds |= SchemaKinds.objects.rawValue
            case let other: throw compiler.problem("is not \(other)", "type")
            }
        }
        let checksInteger = isInteger && kinds & SchemaKinds.numbers.rawValue == 0
        if checksInteger { kinds |= SchemaKinds.numbers.rawValue }
        try compiler.emit(.type, "type", a: Int32(kinds), b: checksInteger ? 1 : 0)
    }

    // MARK: - Numbers

    private static var numbers: [SchemaKeyword] {
        let bounds: [(String, SchemaOperation)] = [
            ("minimum", .minimum), ("maximum", .maximum), ("exclusiveMinimum", .exclusiveMinimum),
            ("exclusiveMaximum", .exclusiveMaximum),
        ]
        return bounds.map { name, operation in
            SchemaKeyword(name: name) { compiler, value throws(RuleError) in
                guard compiler.source.kind(value) == .number else {
                    throw compiler.problem("is a number", name)
                }
                // `b` is 1 where `c` is the number itself.
                let constant = compiler.source.tape[value]
                let small = compiler.source.values.smallInteger(constant).flatMap(
                    Int32.init(exactly:))
                try compiler.emit(
                    operation, name, kinds: .numbers, a: Int32(value), b: small == nil ? 0 : 1,
                    c: small ?? 0)
            }
        } + [SchemaKeyword(name: "multipleOf", compile: compileMultipleOf)]
    }

    private static func compileMultipleOf(
        _ compiler: inout SchemaCompiler, _ value: Int
    ) throws(RuleError) {
        let source = compiler.source
        guard source.kind(value) == .number else {
            throw compiler.problem("is a number", "multipleOf")
        }
        let number = source.values.decimal(source.tape[value])
        guard !number.isZero && !number.isNegative else {
            throw compiler.problem("is greater than zero", "multipleOf")
        }
        guard let digits = number.coefficient else {
            throw compiler.problem("has at most 18 digits", "multipleOf")
        }
        compiler.parts.divisors.append(SchemaDivisor(digits: digits, power: number.lastPower))
        try compiler.emit(
            .multipleOf, "multipleOf", kinds: .numbers,
            a: Int32(compiler.parts.divisors.count - 1))
    }

    // MARK: - Strings

    private static var strings: [SchemaKeyword] {
        [
            count("minLength", .minLength, .strings), count("maxLength", .maxLength, .strings),
            SchemaKeyword(name: "pattern") { compiler, value throws(RuleError) in
                guard compiler.source.kind(value) == .string else {
                    throw compiler.problem("is a string", "pattern")
                }
                let pattern = try compiler.pattern(compiler.source.string(value), "pattern")
                try compiler.emit(.pattern, "pattern", kinds: .strings, a: pattern)
            },
            SchemaKeyword(name: "format") { compiler, value throws(RuleError) in
                guard compiler.source.kind(value) == .string else {
                    throw compiler.problem("is a string", "format")
                }
                guard compiler.options.assertsFormat else { return }
                let name = compiler.source.string(value)
                guard let format = StringFormat(name) else {
                    throw compiler.problem("cannot check \(name)", "format")
                }
                try compiler.emit(.format, "format", kinds: .strings, a: Int32(format.rawValue))
            },
        ]
    }

    static func count(
        _ name: String, _ operation: SchemaOperation, _ kinds: SchemaKinds
    ) -> SchemaKeyword {
        SchemaKeyword(name: name) { compiler, value throws(RuleError) in
            guard let count = compiler.source.count(value) else {
                throw compiler.problem("is an integer from zero on", name)
            }
            try compiler.emit(operation, name, kinds: kinds, a: count)
        }
    }

    // MARK: - References and logic

    private static var references: [SchemaKeyword] {
        ["$ref", "$dynamicRef"].map { name in
            SchemaKeyword(name: name) { compiler, value throws(RuleError) in
                try compiler.compileReference(value, name)
            }
        }
    }

    private static var applicators: [SchemaKeyword] {
        let lists: [(String, SchemaOperation)] = [
            ("allOf", .allOf), ("anyOf", .anyOf), ("oneOf", .oneOf),
        ]
        return lists.map { name, operation in
            SchemaKeyword(name: name) { compiler, value throws(RuleError) in
                guard compiler.source.kind(value) == .array else {
                    throw compiler.problem("is a list of schemas", name)
                }
                var schemas: [Int32] = []
                for element in compiler.source.elements(value) {
                    schemas.append(try compiler.inPlaceSubschema(element, name))
                }
                guard !schemas.isEmpty else { throw compiler.problem("is not empty", name) }
                let start = Int32(compiler.parts.operands.count)
                compiler.parts.operands += schemas
                try compiler.emit(operation, name, a: start, b: Int32(schemas.count))
            }
        } + [
            SchemaKeyword(name: "not") { compiler, value throws(RuleError) in
                let schema = try compiler.inPlaceSubschema(value, "not")
                try compiler.emit(.not, "not", a: schema)
            },
            SchemaKeyword(name: "if") { compiler, value throws(RuleError) in
                let source = compiler.source
                let condition = try compiler.inPlaceSubschema(value, "if")
                var branches: [Int32] = []
                for name in ["then", "else"] {
                    let branch = source.member(compiler.schema, name)
                    branches.append(
                        try branch.map { value throws(RuleError) in
                            try compiler.inPlaceSubschema(value, name)
                        } ?? -1)
                }
                try compiler.emit(.condition, "if", a: condition, b: branches[0], c: branches[1])
            },
        ]
    }

    private static var unevaluated: [SchemaKeyword] {
        let keywords: [(String, SchemaOperation, SchemaKinds)] = [
            ("unevaluatedItems", .unevaluatedItems, .arrays),
            ("unevaluatedProperties", .unevaluatedProperties, .objects),
        ]
        return keywords.map { name, operation, kinds in
            SchemaKeyword(name: name) { compiler, value throws(RuleError) in
                compiler.parts.tracksEvaluated = true
                let schema = try compiler.subschema(value, name)
                try compiler.emit(operation, name, kinds: kinds, a: schema)
            }
        }
    }
}
