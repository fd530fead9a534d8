/// Code points of a pattern's class, as ranges in order that do not touch.
struct CharacterSet: Hashable {
    private(set) var ranges: [ClosedRange<UInt32>] = []

    static let last: UInt32 = 0x10FFFF

    init() {}

    init(_ ranges: [ClosedRange<UInt32>]) {
        for range in ranges { insert(range) }
    }

    init(_ scalar: UInt32) {
        ranges = [scalar...scalar]
    }

    mutating func insert(_ range: ClosedRange<UInt32>) {
        var low = range.lowerBound
        var high = range.upperBound
        let before = ranges.prefix { UInt64($0.upperBound) + 1 < UInt64(low) }
        let after = ranges.dropFirst(before.count).drop {
            UInt64($0.lowerBound) <= UInt64(high) + 1
        }
        for touching in ranges[before.endIndex..<after.startIndex] {
            low = min(low, touching.lowerBound)
            high = max(high, touching.upperBound)
        }
        ranges = before + [low...high] + after
    }

    mutating func formUnion(_ other: CharacterSet) {
        for range in other.ranges { insert(range) }
    }

    var inverted: CharacterSet {
        var result = CharacterSet()
        var next: UInt32 = 0
        for range in ranges {
            if range.lowerBound > next { result.ranges.append(next...range.lowerBound - 1) }
            next = range.upperBound + 1
        }
        if next <= Self.last { result.ranges.append(next...Self.last) }
        return result
    }

    func contains(_ scalar: UInt32) -> Bool { ranges.contains { $0.contains(scalar) } }

    // MARK: - The classes of ECMA-262

    static let digits = CharacterSet([0x30...0x39])
    static let words = CharacterSet([0x30...0x39, 0x41...0x5A, 0x5F...0x5F, 0x61...0x7A])
    static let lineTerminators = CharacterSet([0x0A...0x0A, 0x0D...0x0D, 0x2028...0x2029])
    static let spaces = CharacterSet([
        0x09...0x0D, 0x20...0x20, 0xA0...0xA0, 0x1680...0x1680, 0x2000...0x200A, 0x2028...0x2029,
        0x202F...0x202F, 0x205F...0x205F, 0x3000...0x3000, 0xFEFF...0xFEFF,
    ])

    /// `\p{name}`: general categories, and a few properties that are in daily use.
    static func property(_ name: String) -> CharacterSet? {
        let value = name.split(separator: "=", omittingEmptySubsequences: false)
        if value.count == 2 {
            guard ["General_Category", "gc"].contains(value[0]) else { return nil }
            return category(String(value[1]))
        }
        switch name {
        case "Any": return CharacterSet([0...last])
        case "ASCII": return CharacterSet([0...0x7F])
        case "Alphabetic", "Alpha": return all { $0.isAlphabetic }
        case "Lowercase", "Lower": return all { $0.isLowercase }
        case "Uppercase", "Upper": return all { $0.isUppercase }
        case "White_Space", "space": return all { $0.isWhitespace }
        case "Emoji": return all { $0.isEmoji }
        default: return category(name)
        }
    }

    private static func category(_ name: String) -> CharacterSet? {
        guard let categories = unicodeCategories[name] else { return nil }
        return all { categories.contains($0.generalCategory) }
    }

    private static func all(_ test: (Unicode.Scalar.Properties) -> Bool) -> CharacterSet {
        var result = CharacterSet()
        var start: UInt32?
        for value in 0...last + 1 {
            let isIn = Unicode.Scalar(value).map { test($0.properties) } ?? false
            if isIn && start == nil { start = value }
            if !isIn, let begin = start {
                result.ranges.append(begin...value - 1)
                start = nil
            }
        }
        return result
    }
}

private let unicodeCategories: [String: Set<Unicode.GeneralCategory>] = {
    let single: [(String, String, Unicode.GeneralCategory)] = [
        ("Lu", "Uppercase_Letter", .uppercaseLetter), ("Ll", "Lowercase_Letter", .lowercaseLetter),
        ("Lt", "Titlecase_Letter", .titlecaseLetter), ("Lm", "Modifier_Letter", .modifierLetter),
        ("Lo", "Other_Letter", .otherLetter), ("Mn", "Nonspacing_Mark", .nonspacingMark),
        ("Mc", "Spacing_Mark", .spacingMark), ("Me", "Enclosing_Mark", .enclosingMark),
        ("Nd", "Decimal_Number", .decimalNumber), ("Nl", "Letter_Number", .letterNumber),
        ("No", "Other_Number", .otherNumber),
        ("Pc", "Connector_Punctuation", .connectorPunctuation),
        ("Pd", "Dash_Punctuation", .dashPunctuation), ("Ps", "Open_Punctuation", .openPunctuation),
        ("Pe", "Close_Punctuation", .closePunctuation),
        ("Pi", "Initial_Punctuation", .initialPunctuation),
        ("Pf", "Final_Punctuation", .finalPunctuation),
        ("Po", "Other_Punctuation", .otherPunctuation),
        ("Sm", "Math_Symbol", .mathSymbol), ("Sc", "Currency_Symbol", .currencySymbol),
        ("Sk", "Modifier_Symbol", .modifierSymbol), ("So", "Other_Symbol", .otherSymbol),
        ("Zs", "Space_Separator", .spaceSeparator), ("Zl", "Line_Separator", .lineSeparator),
        ("Zp", "Paragraph_Separator", .paragraphSeparator), ("Cc", "Control", .control),
        ("Cf", "Format", .format), ("Co", "Private_Use", .privateUse),
        ("Cn", "Unassigned", .unassigned),
    ]
    let groups = [
        "L": "Letter", "M": "Mark", "N": "Number", "P": "Punctuation", "S": "Symbol",
        "Z": "Separator",
        "C": "Other",
    ]
    var result: [String: Set<Unicode.GeneralCategory>] = [:]
    for (short, long, category) in single {
        result[short] = [category]
        result[long] = [category]
        let group = String(short.prefix(1))
        result[group, default: []].insert(category)
        if let name = groups[group] { result[name, default: []].insert(category) }
    }
    result["digit"] = [.decimalNumber]
    return result
}()
