/// A rule as an evaluation reads it: plain values and references that are not counted.
///
/// SAFETY: the set that the rule is in keeps whatever it refers to.
struct CompiledRule: BitwiseCopyable {
    var account: Int32 = 0
    var name = SchemaSpan(offset: 0, length: 0)
    /// Whether it looks into the payload.
    var needsDocument = false
    var schema: Kept<JSONSchema>?
    var schemaName = SchemaSpan(offset: 0, length: 0)
    var condition: Kept<Condition>?
    var otherwise = RuleDefinition.Otherwise.pass
    /// Of all its pointers.
    var tree: Kept<PointerTree>?
    /// Which of the set's header fields are its own.
    var firstField: Int32 = 0
    var fieldCount: Int32 = 0
    /// Which of the set's destinations are its own.
    var firstDestination: Int32 = 0
    var destinationCount: Int32 = 0
    /// How often the header block is read for what the rule makes of a message, and for its dead letter.
    var headerReads: Int32 = 0
    var deadLetterReads: Int32 = 0
    /// The slot of the part that is forwarded, or -1, and its pointer as a part of a JSON string.
    var payloadSlot: Int32 = -1
    var payloadPath = SchemaSpan(offset: 0, length: 0)
    var reply: Kept<PickedReply>?
    var invalidAction = RuleDefinition.InvalidAction.reject
    var deadLetter: Kept<Template>?
    var repliesToInvalid = true
    var isShadow = false
    var goesOn = false

    var fields: Range<Int> { Int(firstField)..<Int(firstField &+ fieldCount) }
    var destinations: Range<Int> {
        Int(firstDestination)..<Int(firstDestination &+ destinationCount)
    }
}

/// A destination, and the sum of the weights up to and with its own.
struct CompiledDestination: BitwiseCopyable {
    var weightEnd: UInt32
    var template: Kept<Template>
}

/// A reference that is not counted.
///
/// SAFETY: whoever makes one keeps the object for as long as it is used.
@safe
struct Kept<Object: AnyObject>: BitwiseCopyable {
    private let reference: Unmanaged<Object>

    init(_ object: Object) {
        unsafe reference = .passUnretained(object)
    }

    @inline(__always)
    func use<Result>(_ body: (Object) -> Result) -> Result {
        unsafe reference._withUnsafeGuaranteedRef { body($0) }
    }
}
