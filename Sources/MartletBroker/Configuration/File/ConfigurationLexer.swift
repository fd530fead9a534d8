/// A cursor over a configuration file's characters that knows its line and column.
///
/// Scalars, not `Character`s: a CR LF is one `Character`, but two ends of a line here.
struct ConfigurationLexer {
    let file: String
    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var line = 1
    /// Bytes since the newline before the current line, it included.
    private var column = 0

    init(_ text: String, file: String) {
        self.file = file
        scalars = Array(text.unicodeScalars)
    }

    var peek: Unicode.Scalar? { peek(ahead: 0) }

    func peek(ahead count: Int) -> Unicode.Scalar? {
        index + count < scalars.count ? scalars[index + count] : nil
    }

    @discardableResult
    mutating func next() -> Unicode.Scalar? {
        guard let scalar = peek else { return nil }
        if scalar == "\n" {
            line += 1
            column = 0
        }
        column += UTF8.width(scalar)
        index += 1
        return scalar
    }

    /// Takes the scalar if it is the next one.
    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == scalar else { return false }
        next()
        return true
    }

    /// Takes scalars as long as they fit.
    mutating func take(while fits: (Unicode.Scalar) -> Bool) -> String {
        var text = String.UnicodeScalarView()
        while let scalar = peek, fits(scalar) {
            text.append(scalar)
            next()
        }
        return String(text)
    }

    mutating func skip(while fits: (Unicode.Scalar) -> Bool) {
        while let scalar = peek, fits(scalar) { next() }
    }

    /// Skips a comment up to the end of its line, if one starts here.
    mutating func skipComment() -> Bool {
        guard peek == "#" || (peek == "/" && peek(ahead: 1) == "/") else { return false }
        skip { !$0.endsLine }
        return true
    }

    /// Skips white space, ends of lines and comments.
    mutating func skipBlank() {
        repeat { skip { $0.isBlank } } while skipComment()
    }

    var position: ConfigurationPosition {
        ConfigurationPosition(file: file, line: line, column: column)
    }

    /// Where the cursor is, for `written`.
    var place: Int { index }

    /// What stands between a place and the cursor, as it is written.
    func written(since start: Int) -> String {
        String(String.UnicodeScalarView(scalars[start..<index]))
    }

    /// A syntax error at the cursor.
    func failure(_ reason: String) -> BrokerError {
        BrokerError(
            .configuration, "Parse error on line \(line): '\(reason)' (\(position))")
    }

    /// The next scalar as an error shows it.
    var found: String {
        switch peek {
        case nil: "the end of the file"
        case "\n": "'\\n'"
        case "\r": "'\\r'"
        case let scalar?: "'\(scalar)'"
        }
    }
}

extension Unicode.Scalar {
    var isInlineSpace: Bool { self == " " || self == "\t" }
    var endsLine: Bool { self == "\n" || self == "\r" }
    var isBlank: Bool { properties.isWhitespace }
    var separatesKey: Bool { self == "=" || self == ":" }
    var isDigit: Bool { ("0"..."9").contains(self) }
    /// k, m, g, t, p, e: the first letter of a size unit.
    var isSizeUnit: Bool { "kKmMgGtTpPeE".unicodeScalars.contains(self) }

    /// Ends a string or number without quotes.
    var endsBareValue: Bool {
        isInlineSpace || endsLine || self == "," || self == ";" || self == "]" || self == "}"
    }
}
