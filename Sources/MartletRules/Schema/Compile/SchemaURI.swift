/// References resolved against a base (RFC 3986, section 5.2), as far as schemas need it.
struct SchemaURI {
    private var scheme: Substring?
    private var authority: Substring?
    private var path: Substring
    private var query: Substring?
    private(set) var fragment: String?

    init(_ text: String) {
        var rest = text[...]
        if let hash = rest.firstIndex(of: "#") {
            fragment = Self.decoded(rest[rest.index(after: hash)...])
            rest = rest[..<hash]
        }
        if let colon = rest.firstIndex(of: ":"), !rest[..<colon].contains("/"),
            colon > rest.startIndex
        {
            scheme = rest[..<colon]
            rest = rest[rest.index(after: colon)...]
        }
        if let mark = rest.firstIndex(of: "?") {
            query = rest[rest.index(after: mark)...]
            rest = rest[..<mark]
        }
        if rest.hasPrefix("//") {
            let body = rest.dropFirst(2)
            let end = body.firstIndex(of: "/") ?? body.endIndex
            authority = body[..<end]
            rest = body[end...]
        }
        path = rest
    }

    /// The text without the fragment.
    var absolute: String {
        var text = scheme.map { "\($0):" } ?? ""
        if let authority { text += "//\(authority)" }
        text += path
        if let query { text += "?\(query)" }
        return text
    }

    /// This as seen from `base`.
    func resolved(against base: String) -> SchemaURI {
        if scheme != nil { return self }
        let base = SchemaURI(base)
        var result = self
        result.scheme = base.scheme
        if authority != nil { return result }
        result.authority = base.authority
        if path.isEmpty {
            result.path = base.path
            result.query = query ?? base.query
        } else if path.hasPrefix("/") {
            result.path = Self.withoutDots(path)
        } else {
            let folder = base.path.lastIndex(of: "/").map { base.path[...$0] } ?? ""
            let root = folder.isEmpty && base.authority != nil ? "/" : folder
            result.path = Self.withoutDots(root + path)
        }
        return result
    }

    private static func withoutDots(_ path: Substring) -> Substring {
        guard path.contains("./") || path.hasSuffix("/.") || path.hasSuffix("/..") else {
            return path
        }
        var parts: [Substring] = []
        let all = path.split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in all.enumerated() {
            let isLast = index == all.count - 1
            if part == ".." {
                if parts.count > 1 { parts.removeLast() }
                if isLast { parts.append("") }
            } else if part == "." {
                if isLast { parts.append("") }
            } else {
                parts.append(part)
            }
        }
        return Substring(parts.joined(separator: "/"))
    }

    private static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
