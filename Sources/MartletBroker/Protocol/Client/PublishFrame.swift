/// PUB, or HPUB when there is a header, in parts to be written one behind the other: nothing is copied
/// and nothing allocated for it.
package enum PublishFrame {
    /// Of the line, besides the subject and the reply subject.
    static let lineBytesMax = 64

    private static let partsCount = 8

    static func withParts<Result>(
        subject: UnsafeRawBufferPointer, reply: UnsafeRawBufferPointer? = nil,
        header: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer,
        _ body: (UnsafeBufferPointer<UnsafeRawBufferPointer>) -> Result
    ) -> Result {
        unsafe withUnsafeTemporaryAllocation(byteCount: lineBytesMax, alignment: 1) { sizes in
            let sizesCount = unsafe writeSizes(
                header: header.count, total: header.count + payload.count, into: sizes)
            return unsafe withUnsafeTemporaryAllocation(
                of: UnsafeRawBufferPointer.self, capacity: partsCount
            ) { parts in
                let nothing = unsafe UnsafeRawBufferPointer(start: nil, count: 0)
                let verb = unsafe header.isEmpty ? constant("PUB ") : constant("HPUB ")
                unsafe parts.initializeElement(at: 0, to: verb)
                unsafe parts.initializeElement(at: 1, to: subject)
                let space = unsafe reply == nil ? nothing : constant(" ")
                unsafe parts.initializeElement(at: 2, to: space)
                unsafe parts.initializeElement(at: 3, to: reply ?? nothing)
                unsafe parts.initializeElement(
                    at: 4, to: UnsafeRawBufferPointer(rebasing: sizes[..<sizesCount]))
                unsafe parts.initializeElement(at: 5, to: header)
                unsafe parts.initializeElement(at: 6, to: payload)
                unsafe parts.initializeElement(at: 7, to: constant("\r\n"))
                return unsafe body(UnsafeBufferPointer(parts))
            }
        }
    }

    /// The same in one piece, for those who keep it until there is room.
    package static func bytes(
        subject: String, reply: String?, header: [UInt8], payload: [UInt8]
    ) -> [UInt8] {
        var (subject, reply) = (subject, reply)
        return subject.withUTF8 { subject in
            unsafe header.withUnsafeBytes { header in
                unsafe payload.withUnsafeBytes { payload in
                    let subject = UnsafeRawBufferPointer(subject)
                    guard var name = reply.take() else {
                        return unsafe withParts(
                            subject: subject, header: header, payload: payload, joined)
                    }
                    return name.withUTF8 {
                        unsafe withParts(
                            subject: subject, reply: UnsafeRawBufferPointer($0), header: header,
                            payload: payload, joined)
                    }
                }
            }
        }
    }

    private static func joined(_ parts: UnsafeBufferPointer<UnsafeRawBufferPointer>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(unsafe parts.reduce(0) { $0 + $1.count })
        for i in parts.indices { unsafe bytes.append(contentsOf: parts[i]) }
        return bytes
    }

    private static func constant(_ text: StaticString) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
    }

    /// ` 12 345` and the line's end; how many bytes. Without a header, only the total.
    private static func writeSizes(
        header: Int, total: Int, into buffer: UnsafeMutableRawBufferPointer
    ) -> Int {
        var count = 0
        func write(_ number: Int) {
            var divisor = 1
            while number / divisor >= 10 { divisor *= 10 }
            unsafe buffer[count] = .space
            count += 1
            while divisor > 0 {
                unsafe buffer[count] = UInt8(ascii: "0") + UInt8(number / divisor % 10)
                count += 1
                divisor /= 10
            }
        }
        if header > 0 { write(header) }
        write(total)
        unsafe buffer[count] = .carriageReturn
        unsafe buffer[count + 1] = .lineFeed
        return count + 2
    }
}
