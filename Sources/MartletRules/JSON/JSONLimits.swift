/// How much one document may ask for. What is over a limit is refused with code 413.
public struct JSONLimits: Sendable, Equatable {
    /// Arrays and objects within each other; at most 1,024.
    public var depthMax = 32
    /// At most 2^30.
    public var payloadBytesMax = 256 << 10
    /// Members and elements of the whole document; at most 2^22.
    public var fieldsMax = 4_096
    /// Bytes of a member's name as written; at least 16.
    public var keyBytesMax = 256
    /// Digits of a number that something compares, exponent included; others may have any number.
    public var numberDigitsMax = 40

    /// The limits of a broker without a configuration.
    public init() {}

    /// The same within the bounds of the tape.
    var clamped: JSONLimits {
        var limits = self
        limits.depthMax = min(max(depthMax, 1), 1_024)
        limits.payloadBytesMax = min(max(payloadBytesMax, 1), 1 << 30)
        limits.fieldsMax = min(max(fieldsMax, 1), 1 << 22)
        limits.keyBytesMax = min(max(keyBytesMax, 16), 1 << 16)
        limits.numberDigitsMax = min(max(numberDigitsMax, 1), 1_000)
        return limits
    }
}
