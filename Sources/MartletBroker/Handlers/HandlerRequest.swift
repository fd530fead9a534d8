import Glibc

/// A request as a handler sees it: where it lies in the broker's pipe, for as long as the handler runs.
///
/// It cannot be kept: what is needed later is copied. The reply goes straight into the pipe to the
/// broker; see `reply(_:headers:)`.
///
/// SAFETY: its pointers lead into what came out of the pipe, which stays until the handler returns; it
/// cannot be copied, and is lent to the handler only.
@safe
public struct HandlerRequest: ~Copyable {
    let subjectBytes: UnsafeRawBufferPointer
    let replyBytes: UnsafeRawBufferPointer
    let headerBytes: UnsafeRawBufferPointer
    let payloadBytes: UnsafeRawBufferPointer
    let exchange: HandlerExchange

    init(_ frame: ServerFrame, in bytes: Bytes, _ exchange: HandlerExchange) {
        func slice(_ range: ByteRange) -> UnsafeRawBufferPointer {
            unsafe UnsafeRawBufferPointer(start: bytes.at(range), count: range.length)
        }
        unsafe subjectBytes = unsafe slice(frame.subject)
        unsafe replyBytes = unsafe slice(frame.reply)
        unsafe headerBytes = unsafe slice(frame.header)
        unsafe payloadBytes = unsafe slice(frame.payload)
        self.exchange = exchange
    }

    // MARK: Where it comes from

    /// The subject that the request was published to, copied.
    public var subject: String { unsafe String(decoding: subjectBytes, as: UTF8.self) }

    /// Where the answer is expected, copied; nil for a message that nobody waits for an answer to.
    public var replySubject: String? {
        wantsReply ? unsafe String(decoding: replyBytes, as: UTF8.self) : nil
    }

    /// Whether somebody waits for an answer.
    public var wantsReply: Bool { unsafe !replyBytes.isEmpty }

    /// A token of the subject, from 0 on, copied; nil behind the last.
    public func subjectToken(_ index: Int) -> Substring? {
        let tokens = subject.split(separator: ".", omittingEmptySubsequences: false)
        return tokens.indices.contains(index) ? tokens[index] : nil
    }

    // MARK: What it says

    /// Bytes of the payload.
    public var payloadCount: Int { unsafe payloadBytes.count }

    /// The payload, without a copy.
    public func withPayload<Result, Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe try body(payloadBytes.bytes)
    }

    /// The payload, without a copy, for functions that take pointers. It goes when `body` returns.
    @unsafe public func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe try body(payloadBytes)
    }

    /// The payload, copied.
    public var payload: [UInt8] { unsafe Array(payloadBytes) }

    /// The payload as UTF-8, copied; what is not UTF-8 is replaced.
    public var text: String { unsafe String(decoding: payloadBytes, as: UTF8.self) }

    /// The first value of a header; names are compared as they are written. Short ones are not
    /// allocated.
    public func header(_ name: String) -> String? {
        var name = name
        return name.withUTF8 { name in
            guard let range = unsafe headerValue(UnsafeRawBufferPointer(name)) else { return nil }
            return unsafe String(decoding: headerBytes[range], as: UTF8.self)
        }
    }

    /// All headers, copied.
    public var headers: InProcessHeaders {
        unsafe InProcessHeaders.parse(Array(headerBytes)).headers
    }

    private func headerValue(_ name: UnsafeRawBufferPointer) -> Range<Int>? {
        guard let bytes = unsafe headerBytes.baseAddress, unsafe !name.isEmpty else { return nil }
        var position = 0
        while let found = unsafe memchr(
            bytes + position, Int32(UInt8.lineFeed), headerBytes.count - position)
        {
            // The first line is the version.
            position = unsafe UnsafeRawPointer(found) - bytes + 1
            let colon = position + name.count
            guard unsafe colon < headerBytes.count else { return nil }
            if unsafe headerBytes[colon] == UInt8(ascii: ":"),
                unsafe memcmp(bytes + position, name.baseAddress!, name.count) == 0
            {
                return trimmed(from: colon + 1)
            }
        }
        return nil
    }

    private func trimmed(from start: Int) -> Range<Int> {
        var start = start
        var end = start
        while unsafe end < headerBytes.count && headerBytes[end] != .lineFeed { end += 1 }
        while unsafe end > start && headerBytes[end - 1] <= .space { end -= 1 }
        while unsafe start < end && headerBytes[start] <= .space { start += 1 }
        return start..<end
    }
}
