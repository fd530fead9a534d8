/// What one step of a compiled schema checks. A subschema is a run of steps up to `end`.
enum SchemaOperation: UInt8 {
    case end
    /// `false`
    case refuse
    // These look at the value alone.
    case type, constant, oneOfValues, oneOfManyValues
    case minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf
    case minLength, maxLength, pattern, format
    case minItems, maxItems, uniqueItems
    case minProperties, maxProperties
    // These look at it, or at what it holds, by other schemas.
    case elements, contains
    case members, dependentRequired, dependentSchemas
    case allOf, anyOf, oneOf, not, condition
    case reference, dynamicReference, resource
    case unevaluatedItems, unevaluatedProperties

    /// Nothing is evaluated within it.
    @inline(__always)
    var isCheck: Bool { rawValue <= Self.maxProperties.rawValue }
}

/// What `a`, `b` and `c` mean is said where the compiler emits the operation. Subschemas are
/// numbers into the program's `starts`, or -1.
struct SchemaStep: BitwiseCopyable {
    var operation: SchemaOperation
    /// Kinds of values that it applies to, a bit each; others pass.
    var kinds: UInt8 = 0x7F
    /// The place of the keyword, for messages.
    var place: Int32 = 0
    var a: Int32 = 0
    var b: Int32 = 0
    var c: Int32 = 0
}

/// Where a subschema's steps are. Its `type`, which nearly every one has, is looked at before they
/// run.
struct SchemaStart: BitwiseCopyable {
    /// Behind the step for `type`, if that comes first.
    var step: Int32 = -1
    /// Kinds of values that may pass.
    var kinds: UInt8 = 0x7F
    /// Whether a number must be an integer, which `kinds` does not say.
    var isInteger = false
    var rest = SchemaRest.nothing
}

/// What comes behind a subschema's `type`.
enum SchemaRest: UInt8 {
    case nothing
    /// Steps that look at the value alone.
    case checks
    case steps
}

/// What `properties`, `required`, `patternProperties`, `additionalProperties` and `propertyNames`
/// of one schema say, so that members are looked at once.
struct SchemaMembers: BitwiseCopyable {
    /// A table of `MemberSlot`, a power of two of them; 0 for none.
    var table: Int32 = 0
    var tableCount: Int32 = 0
    /// A hash shifted so is a place in the table.
    var tableShift: UInt32 = 0
    var requiredCount: Int32 = 0
    /// Pairs of pattern and subschema among the operands.
    var patterns: Int32 = 0
    var patternCount: Int32 = 0
    /// Subschemas, or -1.
    var additional: Int32 = -1
    var names: Int32 = -1
    var requiredPlace: Int32 = 0
}

/// A name that a schema knows, in 32 bytes: a shift leads to it.
struct MemberSlot: BitwiseCopyable {
    var hash: UInt32 = 0
    /// -1 for an empty slot.
    var nameOffset: Int32 = -1
    /// The first eight bytes of the name, zeros behind a shorter one.
    var nameStart: UInt64 = 0
    var nameLength: Int32 = 0
    /// A subschema, or -1 where any value will do. Of a name that is only required, what
    /// `additionalProperties` says.
    var schema: Int32 = -1
    var isRequired = false
    /// Named by `properties`, not only by `required`.
    var isDeclared = false
}

/// A divisor, by its digits and the power of ten of the last of them.
struct SchemaDivisor: BitwiseCopyable {
    var digits: UInt64
    var power: Int
}
