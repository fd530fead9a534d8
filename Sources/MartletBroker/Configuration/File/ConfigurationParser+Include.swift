extension ConfigurationParser {
    /// Parses the file that an `include` names and puts its entries into the current map.
    ///
    /// The path is relative to the including file's directory, even with a slash in front.
    mutating func parseInclude() throws(BrokerError) {
        lexer.skip { $0.isInlineSpace }
        let position = lexer.position
        let name = try parseIncludeName()
        do throws(BrokerError) {
            guard includeDepth < Self.includeDepthMax else {
                throw BrokerError(
                    .configuration,
                    "files include each other more than \(Self.includeDepthMax) deep")
            }
            let path = ConfigurationSource.path(of: name, besides: lexer.file)
            let text = try ConfigurationSource.text(ofFile: path)
            // Opening a file costs something too, even if it is empty.
            try take(bytes: text.utf8.count + 4_096)
            var parser = ConfigurationParser(text, file: path, environment: environment)
            parser.includeDepth = includeDepth + 1
            parser.depth = depth
            parser.bytesTaken = bytesTaken
            scopes[scopes.count - 1].merge(try parser.parse())
            bytesTaken = parser.bytesTaken
            warnings += parser.warnings
        } catch {
            throw BrokerError(
                .configuration,
                "\(position): error parsing include file '\(name)', \(error.message)")
        }
    }

    private mutating func parseIncludeName() throws(BrokerError) -> String {
        let found: String
        switch lexer.peek {
        case "'", "\"":
            return try lexer.quoted(by: lexer.next()!)
        case "[": found = "found start of an array"
        case "{": found = "found start of a map"
        case "(": found = "found start of a block"
        case "\\": found = "found escape sequence"
        case let first? where first.isDigit || first == "-": found = "found start of a number"
        case let first? where first.endsLine: found = "found new line"
        case nil: found = "reached the end of the file"
        default:
            return lexer.take { !$0.endsLine && !$0.isInlineSpace && $0 != ";" && $0 != "}" }
        }
        throw lexer.failure("Expected include value but \(found)")
    }
}
