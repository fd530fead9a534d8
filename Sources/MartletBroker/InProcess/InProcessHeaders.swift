/// The headers of a message, in their order; a name may stand more than once. Names are compared as
/// they are written, as NATS clients do.
public struct InProcessHeaders: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    /// One line of the header block.
    public struct Field: Sendable, Equatable {
        /// Printable ASCII without a colon.
        public var name: String
        /// Anything without a line break.
        public var value: String
    }

    /// In the order in which they are written.
    public private(set) var fields: [Field] = []

    /// Without any field: the message has no header block.
    public init() {}

    /// `["Name": "value"]`; nothing is checked before it is sent.
    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0, value: $1) }
    }

    /// Whether there is no field.
    public var isEmpty: Bool { fields.isEmpty }

    /// The first value of a name.
    public subscript(name: String) -> String? {
        fields.first { $0.name == name }?.value
    }

    /// All values of a name.
    public func values(of name: String) -> [String] {
        fields.filter { $0.name == name }.map(\.value)
    }

    /// Adds a field behind the others, also if there is one of that name.
    public mutating func append(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: value))
    }

    // MARK: On the wire

    /// The header block; empty without fields. Throws `.header` for a name or value that cannot be sent.
    package func encoded() throws(BrokerError) -> [UInt8] {
        var bytes: [UInt8] = []
        try encode(into: &bytes)
        return bytes
    }

    /// Appends it, so that a buffer can serve one message after another.
    func encode(into bytes: inout [UInt8]) throws(BrokerError) {
        guard !fields.isEmpty else { return }
        bytes.append(contentsOf: "NATS/1.0\r\n".utf8)
        for field in fields {
            let isName =
                !field.name.isEmpty
                && field.name.utf8.allSatisfy {
                    $0 > .space && $0 < 0x7F && $0 != UInt8(ascii: ":")
                }
            guard isName else {
                throw BrokerError(.header, "\"\(field.name)\" cannot be the name of a header")
            }
            guard !field.value.utf8.contains(where: { $0 == .carriageReturn || $0 == .lineFeed })
            else {
                throw BrokerError(.header, "the value of header \"\(field.name)\" has a line break")
            }
            bytes.append(contentsOf: field.name.utf8)
            bytes.append(contentsOf: ": ".utf8)
            bytes.append(contentsOf: field.value.utf8)
            bytes.append(contentsOf: "\r\n".utf8)
        }
        bytes.append(contentsOf: "\r\n".utf8)
    }

    /// Reads a header block as others write it: what is no `name: value` is passed over.
    package static func parse(_ block: [UInt8]) -> (headers: InProcessHeaders, status: Int?) {
        var headers = InProcessHeaders()
        var status: Int?
        let lines = block.split(separator: .lineFeed, omittingEmptySubsequences: false)
        for (i, line) in lines.enumerated() {
            let text = line.last == .carriageReturn ? line.dropLast() : line
            if i == 0 {
                let words = text.split(separator: .space)
                if words.count > 1 { status = Int(String(decoding: words[1], as: UTF8.self)) }
            } else if let colon = text.firstIndex(of: UInt8(ascii: ":")) {
                headers.append(
                    String(decoding: text[..<colon], as: UTF8.self), value(text[(colon + 1)...]))
            }
        }
        return (headers, status)
    }

    /// Without the white space around it.
    private static func value(_ bytes: ArraySlice<UInt8>) -> String {
        let isSpace = { (byte: UInt8) in byte == .space || byte == .tab }
        var trimmed = bytes.drop(while: isSpace)
        while let last = trimmed.last, isSpace(last) { trimmed.removeLast() }
        return String(decoding: trimmed, as: UTF8.self)
    }
}
