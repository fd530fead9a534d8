/// A JSON Pointer (RFC 6901): which value of a document is meant. `$.a.b[0]`, the part of JSONPath
/// that names exactly one value, is read as the same.
public struct JSONPointer: Sendable, Hashable, CustomStringConvertible {
    /// The names and indexes on the way, unescaped; empty for the whole document.
    public let tokens: [String]

    /// A pointer of names and indexes, unescaped.
    public init(tokens: [String]) {
        self.tokens = tokens
    }

    /// Throws what is wrong with the text.
    public init(_ text: String) throws(RuleError) {
        if text.utf8.first == UInt8(ascii: "$") {
            tokens = try Self.pathTokens(text)
            return
        }
        guard text.isEmpty || text.utf8.first == UInt8(ascii: "/") else {
            throw RuleError("a JSON Pointer is empty or begins with /: \(text)")
        }
        var tokens: [String] = []
        for part in text.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            tokens.append(try Self.unescaped(part, in: text))
        }
        self.tokens = tokens
    }

    public var description: String {
        tokens.map { "/" + Self.escaped($0) }.joined()
    }

    func appending(_ token: String) -> JSONPointer {
        JSONPointer(tokens: tokens + [token])
    }

    private static func escaped(_ token: String) -> String {
        var text = ""
        for scalar in token.unicodeScalars {
            switch scalar {
            case "~": text += "~0"
            case "/": text += "~1"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text
    }

    private static func unescaped(_ part: Substring, in text: String) throws(RuleError) -> String {
        var token = String.UnicodeScalarView()
        var scalars = part.unicodeScalars.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "~" else {
                token.append(scalar)
                continue
            }
            switch scalars.next() {
            case "0": token.append("~")
            case "1": token.append("/")
            default: throw RuleError("~ is followed by 0 or 1 in a JSON Pointer: \(text)")
            }
        }
        return String(token)
    }

    private static func pathTokens(_ text: String) throws(RuleError) -> [String] {
        let problem = RuleError("only names and indices as in $.a.b[0] can be used: \(text)")
        var tokens: [String] = []
        var rest = Array(text.unicodeScalars.dropFirst())[...]
        while let first = rest.popFirst() {
            if first == "." {
                let name = rest.prefix {
                    $0.properties.isAlphabetic || $0 == "_" || ("0"..."9").contains($0)
                }
                guard let begin = name.first, !("0"..."9").contains(begin) else { throw problem }
                tokens.append(String(String.UnicodeScalarView(name)))
                rest = rest.dropFirst(name.count)
            } else {
                let digits = rest.prefix { ("0"..."9").contains($0) }
                let isIndex = digits.count == 1 || digits.first.map { $0 != "0" } ?? false
                rest = rest.dropFirst(digits.count)
                guard first == "[" && isIndex && rest.popFirst() == "]" else { throw problem }
                tokens.append(String(String.UnicodeScalarView(digits)))
            }
        }
        return tokens
    }
}
