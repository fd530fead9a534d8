import Glibc

/// Prefixes that belong to servers talking to each other.
enum ReservedSubject {
    /// Whether a subject, of one byte at least and another behind it, may have such a prefix: it
    /// starts with `$`, `_R` or `_G`. Most do not.
    @inline(__always)
    static func isSuspect(_ subject: Bytes) -> Bool {
        let first = unsafe subject[0]
        guard first == UInt8(ascii: "$") || first == UInt8(ascii: "_") else { return false }
        return unsafe first == UInt8(ascii: "$") || subject[1] == UInt8(ascii: "R")
            || subject[1] == UInt8(ascii: "G")
    }

    static func mayNotPublish(_ subject: Bytes, _ count: Int) -> Bool {
        unsafe hasPrefix(subject, count, "$NRG.") || isGateway(subject, count)
    }

    static func mayNotReply(_ reply: Bytes, _ count: Int) -> Bool {
        unsafe continues(reply, count, "_R_.") || continues(reply, count, "$JS.ACK.")
            || isGateway(reply, count)
    }

    private static func isGateway(_ subject: Bytes, _ count: Int) -> Bool {
        unsafe continues(subject, count, "_GR_.") || continues(subject, count, "$GR.")
    }

    /// Has the prefix and something behind it.
    private static func continues(_ bytes: Bytes, _ count: Int, _ prefix: StaticString) -> Bool {
        unsafe count > prefix.utf8CodeUnitCount && hasPrefix(bytes, count, prefix)
    }

    private static func hasPrefix(_ bytes: Bytes, _ count: Int, _ prefix: StaticString) -> Bool {
        unsafe count >= prefix.utf8CodeUnitCount
            && memcmp(bytes, prefix.utf8Start, prefix.utf8CodeUnitCount) == 0
    }
}
