/// Takes a template apart.
struct TemplateParser {
    private let template: String
    private let isSubject: Bool
    private static let bytesMax = 4_096
    /// Which tokens of the rule's subject are wildcards.
    private let wildcards: [Int32]
    private(set) var parts: [TemplatePart] = []
    private(set) var text: [UInt8] = []

    init(_ template: String, source: String, isSubject: Bool) {
        self.template = template
        self.isSubject = isSubject
        let tokens = source.split(separator: ".", omittingEmptySubsequences: false)
        wildcards = tokens.indices.filter { tokens[$0] == "*" }.map { Int32($0) }
    }

    private func problem(_ what: String) -> RuleError { RuleError("\(what): \(template)") }

    mutating func parse(_ pointers: inout PointerSet) throws(RuleError) {
        guard template.utf8.count <= Self.bytesMax else {
            throw RuleError("a template has at most \(Self.bytesMax) bytes")
        }
        let text = isSubject ? Self.spelledOut(template) : template
        var rest = text[...]
        while let open = Self.index(of: "{{", in: rest) {
            addLiteral(rest[..<open])
            let body = rest[open...].dropFirst(2)
            guard let close = Self.index(of: "}}", in: body) else {
                throw problem("{{ without }}")
            }
            try addCall(body[..<close], &pointers)
            rest = body[close...].dropFirst(2)
        }
        addLiteral(rest)
    }

    /// `$1` as a whole token, which is how older mappings write `{{wildcard(1)}}`.
    private static func spelledOut(_ template: String) -> String {
        var tokens: [String] = [""]
        var rest = template[...]
        while let character = rest.first {
            if rest.hasPrefix("{{"), let close = index(of: "}}", in: rest) {
                let end = rest.index(close, offsetBy: 2)
                tokens[tokens.count - 1] += rest[..<end]
                rest = rest[end...]
                continue
            }
            if character == "." {
                tokens.append("")
            } else {
                tokens[tokens.count - 1].append(character)
            }
            rest.removeFirst()
        }
        return tokens.map { token in
            let number = token.dropFirst()
            let isNumber = !number.isEmpty && number.utf8.allSatisfy { (0x30...0x39).contains($0) }
            return token.first == "$" && isNumber ? "{{wildcard(\(number))}}" : token
        }.joined(separator: ".")
    }

    private static func index(of pair: String, in text: Substring) -> String.Index? {
        text.indices.first { text[$0...].hasPrefix(pair) }
    }

    /// Whether a template asks for a header field.
    static func usesHeader(_ template: String) -> Bool {
        var rest = template[...]
        while let open = index(of: "{{", in: rest) {
            rest = trimmed(rest[open...].dropFirst(2))
            if rest.lowercased().hasPrefix("header") { return true }
        }
        return false
    }

    private mutating func store(_ bytes: some Sequence<UInt8>) -> (Int32, Int32) {
        let start = text.count
        text += bytes
        return (Int32(start), Int32(text.count - start))
    }

    private mutating func addLiteral(_ literal: Substring) {
        if literal.isEmpty { return }
        let (start, count) = store(literal.utf8)
        parts.append(TemplatePart(kind: .literal, a: start, b: count))
    }

    private mutating func addCall(
        _ call: Substring, _ pointers: inout PointerSet
    ) throws(RuleError) {
        let call = Self.trimmed(call)
        guard let open = call.firstIndex(of: "("), call.hasSuffix(")") else {
            throw problem("\(call) is no function with an argument")
        }
        let argument = Self.trimmed(call[call.index(after: open)...].dropLast())
        switch Self.trimmed(call[..<open]).lowercased() {
        case "json":
            let slot = pointers.slot(of: try JSONPointer(String(argument)))
            parts.append(TemplatePart(kind: .value, a: Int32(slot)))
        case "header":
            let isName = argument.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3A }
            guard isName && !argument.isEmpty else { throw problem("no name of a header field") }
            let (start, count) = store(argument.utf8)
            parts.append(TemplatePart(kind: .header, a: start, b: count))
        case "wildcard":
            parts.append(TemplatePart(kind: .wildcard, a: try wildcard(argument)))
        case "partition": try addPartition(argument)
        case let other: throw problem("the function \(other) is not known")
        }
    }

    /// Which token of the subject is the wildcard with a number.
    private func wildcard(_ text: Substring) throws(RuleError) -> Int32 {
        guard let number = Int(text), number >= 1, number <= wildcards.count else {
            throw problem("the rule's subject has no wildcard \(text)")
        }
        return wildcards[number - 1]
    }

    /// `partition(number, wildcards…)`; without wildcards the whole subject is hashed.
    private mutating func addPartition(_ arguments: Substring) throws(RuleError) {
        let list = arguments.split(separator: ",", omittingEmptySubsequences: false)
            .map(Self.trimmed)
        guard let first = list.first, let count = Int32(first), count >= 1 else {
            throw problem("partition has a number of partitions and then wildcards")
        }
        for argument in list.dropFirst() {
            parts.append(TemplatePart(kind: .hashed, a: try wildcard(argument)))
        }
        if list.count == 1 { parts.append(TemplatePart(kind: .hashed, a: -1)) }
        parts.append(TemplatePart(kind: .partition, a: count))
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " }
        while text.last == " " { text.removeLast() }
        return text
    }

    /// What the operator writes cannot end a header's line either.
    func checkHeader() throws(RuleError) {
        guard text.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw problem("a header field has no control characters")
        }
    }

    /// A subject has tokens, and the first one is not for messages to choose.
    func checkSubject() throws(RuleError) {
        var tokens = [""]
        for part in parts {
            guard part.kind == .literal else {
                if tokens.count == 1 {
                    throw problem("the first token of a subject must be literal")
                }
                tokens[tokens.count - 1] += "x"
                continue
            }
            let literal = text[Int(part.a)..<Int(part.a + part.b)]
            for byte in literal {
                if byte == UInt8(ascii: ".") {
                    tokens.append("")
                } else if byte <= 0x20 || byte == 0x7F || byte == 0x2A || byte == 0x3E {
                    throw problem("a subject has no spaces and no wildcards")
                } else {
                    tokens[tokens.count - 1] += "x"
                }
            }
        }
        if tokens.contains("") { throw problem("a token of a subject is empty") }
        guard text.first != UInt8(ascii: "$") else {
            throw problem("subjects that begin with $ are the server's own")
        }
        guard !text.starts(with: "_INBOX".utf8) else {
            throw problem("subjects that begin with _INBOX are for answers")
        }
    }
}
