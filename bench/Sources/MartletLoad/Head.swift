import Glibc

/// The first line of a PUB, with a number in it that changes: `PUB inbox.00000042 16 CR LF`.
///
/// SAFETY: one block that lives as long as the value's owner; `write` stays within the digits' place.
@safe struct Head {
    let bytes: UnsafeMutablePointer<UInt8>
    let count: Int
    private let numberEnd: Int
    static let digits = 10

    /// Without `reply` nothing changes. With one, it ends in the number.
    init(subject: String, reply: String? = nil, payloadBytes: Int) {
        var text = "PUB \(subject) "
        if let reply { text += reply + String(repeating: "0", count: Self.digits) }
        numberEnd = text.utf8.count
        if reply != nil { text += " " }
        text += "\(payloadBytes)\r\n"
        count = text.utf8.count
        unsafe bytes = .allocate(capacity: text.utf8.count)
        for (i, byte) in text.utf8.enumerated() { unsafe bytes[i] = byte }
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
