import Glibc

/// All of a published message before its payload, with a number in the reply subject that changes:
/// `PUB price inbox.0000000042 16 CR LF`.
///
/// SAFETY: one block that lives as long as the value's owner; `write` stays within the digits' place.
@safe struct Head {
    let bytes: UnsafeMutablePointer<UInt8>
    let count: Int
    private let numberEnd: Int
    static let digits = 10

    /// Without `reply` nothing changes. With one, it ends in the number.
    init(_ wire: WireProtocol, subject: String, reply: String? = nil, payloadBytes: Int) {
        let numbered = reply.map { $0 + String(repeating: "0", count: Self.digits) }
        let head = wire.publishHead(subject, reply: numbered, payloadBytes: payloadBytes)
        numberEnd = head.replyEnd
        count = head.bytes.count
        unsafe bytes = .allocate(capacity: head.bytes.count)
        for (i, byte) in head.bytes.enumerated() { unsafe bytes[i] = byte }
    }

    @inline(__always)
    func write(_ number: UInt64) {
        var rest = number
        var i = numberEnd
        for _ in 0..<Self.digits {
            i &-= 1
            unsafe bytes[i] = 48 &+ UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
    }
}
