/// A JSON Schema of draft 2020-12, compiled: it validates scanned documents without allocating, in
/// time that the limits of the scratch bound.
public final class JSONSchema: Sendable {
    let program: SchemaProgram
    /// For each place, the keyword's name and its pointer, as the insides of JSON strings.
    let placeSpans: Cells<SchemaSpan>
    let placeText: Cells<UInt8>
    /// Keywords that have no effect.
    public let warnings: [String]

    /// Throws what is wrong with it, with the file, the place and the keyword.
    public convenience init(
        _ text: [UInt8], file: String, options: SchemaOptions = SchemaOptions()
    ) throws(RuleError) {
        try self.init(checked: text, file: file, options: options)
        do throws(RuleError) {
            try MetaSchema.check(text, limits: options.limits)
        } catch {
            throw error.at(JSONPointer(tokens: []), file: file)
        }
    }

    /// The same of a text that is known to be as the draft says.
    init(
        checked text: [UInt8], file: String, options: SchemaOptions = SchemaOptions()
    ) throws(RuleError) {
        let compiled: SchemaCompiler
        do throws(RuleError) {
            compiled = try Self.compile(text, options)
        } catch {
            throw error.at(JSONPointer(tokens: []), file: file)
        }
        program = compiled.parts.program(compiled.source)
        var text: [UInt8] = []
        var spans: [SchemaSpan] = []
        for place in compiled.parts.places {
            // A schema that is just `false` goes by the keyword that it is the value of.
            let isFalse = place.keyword == "false"
            let pointer = isFalse ? place.pointer : place.pointer.appending(place.keyword)
            let last = place.pointer.tokens.last ?? ""
            let keyword = isFalse && SchemaIndex.single.contains(last) ? last : place.keyword
            for part in [keyword, pointer.description] {
                let inside = jsonString(part).dropFirst().dropLast()
                spans.append(SchemaSpan(offset: Int32(text.count), length: Int32(inside.count)))
                text += inside
            }
        }
        placeSpans = Cells(spans)
        placeText = Cells(text)
        warnings = compiled.warnings.map { "\(file): \($0)" }
    }

    private static func compile(
        _ text: [UInt8], _ options: SchemaOptions
    ) throws(RuleError) -> SchemaCompiler {
        let source = try SchemaSource(text, limits: options.limits)
        do throws(RuleError) {
            var compiler = try SchemaCompiler(source, options: options)
            do throws(RuleError) {
                try compiler.compile()
                return compiler
            } catch {
                for pattern in compiler.parts.patterns { pattern.free() }
                throw error
            }
        } catch {
            source.free()
            throw error
        }
    }

    deinit {
        program.free()
        placeSpans.free()
        placeText.free()
    }

    /// The document is the one that `scratch` scanned last.
    public func validate(
        _ document: JSONDocument, in scratch: borrowing RuleScratch
    ) -> SchemaOutcome {
        var evaluator = SchemaEvaluator(program, document, scratch)
        let outcome = evaluator.run()
        scratch.spend(evaluator.stepsMax &- evaluator.work.unused)
        return outcome
    }
}

/// How a schema is read.
public struct SchemaOptions: Sendable {
    /// What a schema may be.
    public var limits = SchemaLimits()
    /// Whether a keyword that the draft does not have is an error rather than a warning.
    public var refusesUnknownKeywords = false
    /// Whether `format` is checked; a format that cannot be checked is an error then.
    public var assertsFormat = false
    /// How deep arrays and objects of the documents may be within each other.
    public var documentDepthMax = JSONLimits().depthMax

    /// As a schema is read without a configuration.
    public init() {}
}

/// What an evaluation found.
public enum SchemaOutcome: Equatable, Sendable {
    case valid
    /// The first keyword that the document violates.
    case violation(SchemaViolation)
    /// More work than the document's size allows: code 413.
    case tooComplex
    /// A number has more digits than are compared: code 413.
    case numberTooLong(offset: Int)
}

/// Which keyword a value violates.
public struct SchemaViolation: Equatable, Sendable {
    let step: Int32
    let entry: Int32
}
