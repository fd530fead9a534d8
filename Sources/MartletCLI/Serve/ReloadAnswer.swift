/// What has become of a reload, for who asked for it.
struct ReloadAnswer: Equatable {
    /// Whether all of it was done.
    let isDone: Bool
    /// Some lines: what has changed, or what is wrong.
    let text: String

    /// Of the longest answer; a configuration file can have any number of mistakes.
    static let bytesMax = 32 << 10

    private static let (done, refused) = (UInt8(ascii: "+"), UInt8(ascii: "-"))

    /// As a datagram, cut off where it is too long for one.
    var bytes: [UInt8] {
        var text = Array(self.text.utf8)
        if text.count >= Self.bytesMax {
            text.removeSubrange((Self.bytesMax - 8)...)
            // The last letter may have lost a part of itself.
            while let byte = text.popLast(), byte & 0xC0 == 0x80 {}
            text += Array("…".utf8)
        }
        return [isDone ? Self.done : Self.refused] + text
    }

    init(isDone: Bool, text: String) {
        self.isDone = isDone
        self.text = text
    }

    /// Nil for what is no answer.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard let first = bytes.first, [Self.done, Self.refused].contains(first) else { return nil }
        isDone = first == Self.done
        text = String(decoding: bytes.dropFirst(), as: UTF8.self)
    }
}
