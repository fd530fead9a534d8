/// What draft 2020-12 says that a schema looks like, as a schema: it finds what the compiler does not
/// look for, above all in subschemas that nothing refers to.
enum MetaSchema {
    /// Throws where a schema is not as the draft says.
    static func check(_ text: [UInt8], limits: SchemaLimits) throws(RuleError) {
        var scratch = RuleScratch(limits: SchemaSource.scanLimits(text, limits))
        let outcome = unsafe text.withUnsafeBufferPointer { buffer -> JSONOutcome in
            guard let start = buffer.baseAddress else { return .failure(JSONFailure(.empty, 0)) }
            return unsafe scratch.scan(start, count: buffer.count)
        }
        guard case .document(let document) = outcome else { return }
        switch schema.validate(document, in: scratch) {
        case .valid: return
        case .violation(let violation):
            throw RuleError(
                message(violation, document), at: pointer(to: Int(violation.entry), in: document))
        case .tooComplex, .numberTooLong:
            throw RuleError("is too large to be checked", at: JSONPointer(tokens: []))
        }
    }

    private static func message(_ violation: SchemaViolation, _ document: JSONDocument) -> String {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe buffer.withUnsafeMutableBufferPointer { room in
            unsafe room.baseAddress.flatMap {
                unsafe schema.writeSentence(
                    of: violation, in: document, into: $0, capacity: room.count)
            }
        }
        let text = String(decoding: buffer[..<(count ?? 0)], as: UTF8.self)
        return (count == nil ? "is not as draft 2020-12 says" : text) + " (draft 2020-12)"
    }

    /// The pointer to a value, which is a text of the schema's own.
    private static func pointer(to entry: Int, in document: JSONDocument) -> JSONPointer {
        var buffer = [UInt8](repeating: 0, count: document.bytes.count * 2 + 64)
        let text = unsafe buffer.withUnsafeMutableBufferPointer { room -> String in
            guard let start = room.baseAddress else { return "" }
            var writer = unsafe ByteWriter(start, capacity: room.count)
            writer.writePath(to: entry, in: document)
            return unsafe String(decoding: room[..<writer.count], as: UTF8.self)
        }
        return (try? JSONPointer(text)) ?? JSONPointer(tokens: [])
    }

    private static let schema: JSONSchema = {
        do {
            return try JSONSchema(checked: Array(text.utf8), file: "draft 2020-12")
        } catch {
            fatalError("\(error)")
        }
    }()

    private static let text = """
        {
          "$schema": "https://json-schema.org/draft/2020-12/schema",
          "type": ["object", "boolean"],
          "properties": {
            "$id": { "type": "string", "pattern": "^[^#]*#?$" },
            "$schema": { "type": "string" },
            "$ref": { "type": "string" },
            "$dynamicRef": { "type": "string" },
            "$anchor": { "$ref": "#/$defs/anchor" },
            "$dynamicAnchor": { "$ref": "#/$defs/anchor" },
            "$vocabulary": { "type": "object", "additionalProperties": { "type": "boolean" } },
            "$comment": { "type": "string" },
            "$defs": { "$ref": "#/$defs/schemas" },

            "allOf": { "$ref": "#/$defs/list" },
            "anyOf": { "$ref": "#/$defs/list" },
            "oneOf": { "$ref": "#/$defs/list" },
            "prefixItems": { "$ref": "#/$defs/list" },
            "not": { "$ref": "#" },
            "if": { "$ref": "#" },
            "then": { "$ref": "#" },
            "else": { "$ref": "#" },
            "items": { "$ref": "#" },
            "contains": { "$ref": "#" },
            "additionalProperties": { "$ref": "#" },
            "propertyNames": { "$ref": "#" },
            "unevaluatedItems": { "$ref": "#" },
            "unevaluatedProperties": { "$ref": "#" },
            "properties": { "$ref": "#/$defs/schemas" },
            "patternProperties": { "$ref": "#/$defs/schemas" },
            "dependentSchemas": { "$ref": "#/$defs/schemas" },

            "type": {
              "if": { "type": "array" },
              "then": { "items": { "$ref": "#/$defs/type" }, "minItems": 1, "uniqueItems": true },
              "else": { "$ref": "#/$defs/type" }
            },
            "enum": { "type": "array" },
            "multipleOf": { "type": "number", "exclusiveMinimum": 0 },
            "minimum": { "type": "number" },
            "maximum": { "type": "number" },
            "exclusiveMinimum": { "type": "number" },
            "exclusiveMaximum": { "type": "number" },
            "minLength": { "$ref": "#/$defs/count" },
            "maxLength": { "$ref": "#/$defs/count" },
            "pattern": { "type": "string" },
            "minItems": { "$ref": "#/$defs/count" },
            "maxItems": { "$ref": "#/$defs/count" },
            "uniqueItems": { "type": "boolean" },
            "minContains": { "$ref": "#/$defs/count" },
            "maxContains": { "$ref": "#/$defs/count" },
            "minProperties": { "$ref": "#/$defs/count" },
            "maxProperties": { "$ref": "#/$defs/count" },
            "required": { "$ref": "#/$defs/names" },
            "dependentRequired": {
              "type": "object", "additionalProperties": { "$ref": "#/$defs/names" }
            },

            "title": { "type": "string" },
            "description": { "type": "string" },
            "deprecated": { "type": "boolean" },
            "readOnly": { "type": "boolean" },
            "writeOnly": { "type": "boolean" },
            "examples": { "type": "array" },
            "format": { "type": "string" },
            "contentEncoding": { "type": "string" },
            "contentMediaType": { "type": "string" },
            "contentSchema": { "$ref": "#" }
          },
          "$defs": {
            "anchor": { "type": "string", "pattern": "^[A-Za-z_][-A-Za-z0-9._]*$" },
            "count": { "type": "integer", "minimum": 0 },
            "list": { "type": "array", "items": { "$ref": "#" }, "minItems": 1 },
            "names": { "type": "array", "items": { "type": "string" }, "uniqueItems": true },
            "schemas": { "type": "object", "additionalProperties": { "$ref": "#" } },
            "type": {
              "enum": ["array", "boolean", "integer", "null", "number", "object", "string"]
            }
          }
        }
        """
}
