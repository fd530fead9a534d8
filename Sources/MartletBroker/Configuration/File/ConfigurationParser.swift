/// Parses nats-server's configuration grammar, a forgiving superset of JSON.
///
/// Each file has a parser of its own, so an included file does not see the variables of the file
/// that includes it; its keys become keys of the block that includes it.
struct ConfigurationParser {
    static let depthMax = 64
    static let includeDepthMax = 16
    /// Of all that a file includes and that its variables stand for, about.
    static let bytesMax = 64 << 20

    var lexer: ConfigurationLexer
    /// The maps that are open, the outermost first: where variables are looked up.
    var scopes = [ConfigurationMap()]
    let environment: [String: String]
    /// Environment variables that are being resolved, to find cycles.
    var resolving: Set<String> = []
    /// What environment variables have come to: those that refer to each other twice are read once.
    var resolved: [String: ConfigurationValue] = [:]
    var includeDepth = 0
    var warnings: [String] = []
    /// Of the map or array that is being read, with those of the files that include this one.
    var depth = 0
    /// What includes and variables have come to so far.
    var bytesTaken = 0

    init(_ text: String, file: String, environment: [String: String]) {
        lexer = ConfigurationLexer(text, file: file)
        self.environment = environment
    }

    mutating func parse() throws(BrokerError) -> ConfigurationMap {
        while true {
            lexer.skipBlank()
            guard let first = lexer.peek else { return scopes[0] }
            if first == "{" {
                try parseBlock()
            } else {
                guard try parseEntry(endsWithFile: true) else { return scopes[0] }
                try endEntry(of: "top-level", mayClose: true)
            }
        }
    }

    // MARK: Structure

    /// `{ … }` without a key: its entries belong to the map around it, as in a JSON file.
    private mutating func parseBlock() throws(BrokerError) {
        let start = lexer.position
        try descend()
        lexer.next()
        while true {
            lexer.skip { $0.isBlank || $0 == "," || $0 == ";" }
            if lexer.skipComment() { continue }
            switch lexer.peek {
            case nil:
                warnings.append("\(start): the '}' of this '{' is missing")
                depth -= 1
                return
            case "}":
                lexer.next()
                depth -= 1
                return
            case "{":
                try parseBlock()
            default:
                _ = try parseEntry(endsWithFile: false)
                try endEntry(of: "block-level", mayClose: false)
            }
        }
    }

    mutating func parseMap() throws(BrokerError) -> ConfigurationMap {
        try descend()
        lexer.next()
        scopes.append(ConfigurationMap())
        while true {
            lexer.skipBlank()
            switch lexer.peek {
            case nil: throw lexer.failure("Unexpected EOF processing map.")
            case "]": throw lexer.failure("Unexpected array end ']' processing map.")
            case "}":
                lexer.next()
                depth -= 1
                return scopes.removeLast()
            default:
                _ = try parseEntry(endsWithFile: false)
                try endMapEntry()
            }
        }
    }

    mutating func parseArray() throws(BrokerError) -> [ConfigurationValue] {
        try descend()
        lexer.next()
        var values: [ConfigurationValue] = []
        while true {
            lexer.skipBlank()
            if lexer.take("]") {
                depth -= 1
                return values
            }
            if lexer.peek == "," {
                throw lexer.failure("Unexpected array value terminator ','.")
            }
            let position = lexer.position
            values.append(try parseValue(at: position))
            try endArrayValue()
        }
    }

    private mutating func descend() throws(BrokerError) {
        depth += 1
        try expectDepth(depth)
    }

    func expectDepth(_ depth: Int) throws(BrokerError) {
        guard depth <= Self.depthMax else {
            throw lexer.failure("Maps and arrays are nested more than \(Self.depthMax) deep")
        }
    }

    /// Counts what did not stand in the file itself.
    mutating func take(bytes: Int) throws(BrokerError) {
        bytesTaken += bytes
        guard bytesTaken <= Self.bytesMax else {
            throw lexer.failure(
                "Includes and variables come to more than \(Self.bytesMax >> 20) MB")
        }
    }

    // MARK: Entries

    /// A key with its value, or an include. False at the file's end after a lone `}`.
    private mutating func parseEntry(endsWithFile: Bool) throws(BrokerError) -> Bool {
        guard let key = try parseKey() else {
            try parseInclude()
            return true
        }
        lexer.skip { $0.isBlank }
        if lexer.peek == nil {
            // JSON pasted behind other keys ends so, and nats-server takes it.
            if endsWithFile, key.name == "}" { return false }
            throw BrokerError(.configuration, "config is invalid (\(lexer.position))")
        }
        if lexer.peek!.separatesKey {
            lexer.next()
            if scopes.count > 1 { lexer.skip { $0.isBlank } }
            lexer.skip { $0.isInlineSpace }
        }
        if scopes.count > 1, lexer.peek == "," || lexer.peek == "}" {
            throw lexer.failure("Expected a value for key '\(key.name)' but got \(lexer.found)")
        }
        let value = try parseValue(at: key.position)
        scopes[scopes.count - 1].set(key.name, to: value)
        return true
    }

    /// A key, or nil when the word is `include`.
    private mutating func parseKey() throws(BrokerError) -> (
        name: String, position: ConfigurationPosition
    )? {
        if let first = lexer.peek, first.separatesKey {
            throw lexer.failure("Unexpected key separator '\(first)'")
        }
        for quote: Unicode.Scalar in ["\"", "'"] where lexer.take(quote) {
            let position = lexer.position
            return (try lexer.quoted(by: quote), position)
        }
        let position = lexer.position
        let name = lexer.take { !$0.isBlank && !$0.separatesKey }
        let isInclude = name.lowercased() == "include" && lexer.peek?.isBlank == true
        return isInclude ? nil : (name, position)
    }

    // MARK: Ends

    private mutating func endEntry(of level: String, mayClose: Bool) throws(BrokerError) {
        lexer.skip { $0.isInlineSpace }
        if lexer.skipComment() { return }
        switch lexer.peek {
        case nil where mayClose: return
        case "\n", "\r", ";", ",": lexer.next()
        case "}": if mayClose { lexer.next() }
        default:
            throw lexer.failure(
                "Expected a \(level) value to end with a new line, comment or EOF, but got "
                    + "\(lexer.found) instead.")
        }
    }

    private mutating func endMapEntry() throws(BrokerError) {
        lexer.skip { $0.isInlineSpace }
        if lexer.skipComment() { return }
        switch lexer.peek {
        case "\n", "\r", ";", ",": lexer.next()
        case "}": return
        default:
            throw lexer.failure(
                "Expected a map value terminator \",\" or a map terminator \"}\", but got "
                    + "\(lexer.found) instead.")
        }
    }

    private mutating func endArrayValue() throws(BrokerError) {
        lexer.skip { $0.isInlineSpace }
        if lexer.skipComment() { return }
        switch lexer.peek {
        case "\n", "\r", ",": lexer.next()
        case "]": return
        default:
            throw lexer.failure(
                "Expected an array value terminator \",\" or an array terminator \"]\", but got "
                    + "\(lexer.found) instead.")
        }
    }
}
