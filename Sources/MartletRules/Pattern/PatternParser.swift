/// What a pattern says.
indirect enum PatternNode {
    case empty
    case set(CharacterSet)
    case sequence([PatternNode])
    case choice([PatternNode])
    case repeated(PatternNode, min: Int, max: Int?)
    case assertion(PatternAssertion)
}

enum PatternAssertion: UInt8 {
    case begin, end, wordBoundary, noWordBoundary
}

/// Reads the regular expressions of ECMA-262 in Unicode mode, but for what needs more than time
/// proportional to the text: back references and look-around.
struct PatternParser {
    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0

    private static let repetitionsMax = 1_000
    private static let depthMax = 50

    init(_ pattern: String) {
        scalars = Array(pattern.unicodeScalars)
    }

    mutating func parse() throws(RuleError) -> PatternNode {
        let node = try choice()
        if position < scalars.count { throw problem("unmatched \(scalars[position])") }
        return node
    }

    private func problem(_ what: String) -> RuleError {
        RuleError("\(what) in the pattern \(String(String.UnicodeScalarView(scalars)))")
    }

    private var next: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar else { return false }
        position += 1
        return true
    }

    private mutating func take(_ text: String) -> Bool {
        guard scalars[position...].starts(with: text.unicodeScalars) else { return false }
        position += text.unicodeScalars.count
        return true
    }

    private mutating func choice() throws(RuleError) -> PatternNode {
        depth += 1
        defer { depth -= 1 }
        if depth > Self.depthMax { throw problem("too many groups within each other") }
        var branches = [try sequence()]
        while take("|" as Unicode.Scalar) { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(RuleError) -> PatternNode {
        var parts: [PatternNode] = []
        while let scalar = next, scalar != "|", scalar != ")" {
            let atom = try atom()
            if case .assertion = atom {
                parts.append(atom)
            } else {
                parts.append(try quantified(atom))
            }
        }
        return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
    }

    // MARK: - Quantifiers

    private mutating func quantified(_ atom: PatternNode) throws(RuleError) -> PatternNode {
        var min = 0
        var max: Int?
        switch next {
        case "*": position += 1
        case "+":
            position += 1
            min = 1
        case "?":
            position += 1
            max = 1
        case "{":
            guard let bounds = try bounds() else { return atom }
            (min, max) = bounds
        default: return atom
        }
        // Whether it takes many or few makes no difference to whether there is a match.
        _ = take("?" as Unicode.Scalar)
        if let next, "*+?{".unicodeScalars.contains(next) { throw problem("nothing to repeat") }
        return .repeated(atom, min: min, max: max)
    }

    private mutating func bounds() throws(RuleError) -> (Int, Int?)? {
        position += 1
        guard let min = number() else { throw problem("a { that begins no repetition") }
        var max: Int? = min
        if take("," as Unicode.Scalar) { max = number() }
        guard take("}" as Unicode.Scalar) else { throw problem("a { that begins no repetition") }
        guard min <= Self.repetitionsMax, max ?? 0 <= Self.repetitionsMax else {
            throw problem("more than \(Self.repetitionsMax) repetitions")
        }
        if let max, max < min { throw problem("repetitions out of order") }
        return (min, max)
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let scalar = next, let digit = Self.digit(scalar), digit < 10 {
            value = min((value ?? 0) * 10 + Int(digit), 1_000_000)
            position += 1
        }
        return value
    }

    private static func digit(_ scalar: Unicode.Scalar) -> UInt32? {
        switch scalar {
        case "0"..."9": scalar.value - 0x30
        case "a"..."f": scalar.value - 0x61 + 10
        case "A"..."F": scalar.value - 0x41 + 10
        default: nil
        }
    }

    // MARK: - Atoms

    private mutating func atom() throws(RuleError) -> PatternNode {
        guard let scalar = next else { return .empty }
        position += 1
        switch scalar {
        case "^": return .assertion(.begin)
        case "$": return .assertion(.end)
        case ".": return .set(CharacterSet.lineTerminators.inverted)
        case "(": return try group()
        case "[": return .set(try characterClass())
        case "\\":
            if take("b" as Unicode.Scalar) { return .assertion(.wordBoundary) }
            if take("B" as Unicode.Scalar) { return .assertion(.noWordBoundary) }
            return .set(try escape(inClass: false))
        case "*", "+", "?": throw problem("nothing to repeat")
        case "{", "}", "]": throw problem("\(scalar) without \\ before it")
        default: return .set(CharacterSet(scalar.value))
        }
    }

    private mutating func group() throws(RuleError) -> PatternNode {
        if take("?" as Unicode.Scalar) {
            for look in ["=", "!", "<=", "<!"] where take(look) {
                throw problem("look-around, which cannot be used,")
            }
            if take("<" as Unicode.Scalar) {
                while let scalar = next, scalar != ">" {
                    guard
                        scalar.properties.isAlphabetic || scalar == "_" || Self.digit(scalar) != nil
                    else { throw problem("a bad group name") }
                    position += 1
                }
                position += 1
            } else if !take(":" as Unicode.Scalar) {
                throw problem("an unknown kind of group")
            }
        }
        let node = try choice()
        if !take(")" as Unicode.Scalar) { throw problem("a group without end") }
        // Unlike an assertion, a group of one can be repeated.
        if case .assertion = node { return .sequence([node]) }
        return node
    }

    private mutating func characterClass() throws(RuleError) -> CharacterSet {
        let isInverted = take("^" as Unicode.Scalar)
        var set = CharacterSet()
        while !take("]" as Unicode.Scalar) {
            let first = try classMember()
            guard next == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
                set.formUnion(first)
                continue
            }
            position += 1
            let second = try classMember()
            guard let low = Self.single(first), let high = Self.single(second), low <= high else {
                throw problem("a bad range")
            }
            set.insert(low...high)
        }
        return isInverted ? set.inverted : set
    }

    private mutating func classMember() throws(RuleError) -> CharacterSet {
        guard let scalar = next else { throw problem("a class without end") }
        position += 1
        return scalar == "\\" ? try escape(inClass: true) : CharacterSet(scalar.value)
    }

    private static func single(_ set: CharacterSet) -> UInt32? {
        set.ranges.count == 1 && set.ranges[0].count == 1 ? set.ranges[0].lowerBound : nil
    }

    // MARK: - Escapes

    private mutating func escape(inClass: Bool) throws(RuleError) -> CharacterSet {
        guard let scalar = next else { throw problem("a \\ at the end") }
        position += 1
        switch scalar {
        case "d": return .digits
        case "D": return CharacterSet.digits.inverted
        case "w": return .words
        case "W": return CharacterSet.words.inverted
        case "s": return .spaces
        case "S": return CharacterSet.spaces.inverted
        case "p", "P":
            let set = try property()
            return scalar == "p" ? set : set.inverted
        case "1"..."9", "k": throw problem("a back reference, which cannot be used,")
        default: return CharacterSet(try escapedScalar(scalar, inClass: inClass))
        }
    }

    private mutating func escapedScalar(
        _ scalar: Unicode.Scalar, inClass: Bool
    ) throws(RuleError) -> UInt32 {
        switch scalar {
        case "t": return 0x09
        case "n": return 0x0A
        case "v": return 0x0B
        case "f": return 0x0C
        case "r": return 0x0D
        case "b" where inClass: return 0x08
        case "0":
            if let next, Self.digit(next).map({ $0 < 10 }) ?? false {
                throw problem("an octal escape")
            }
            return 0
        case "c":
            guard let letter = next, letter.isASCII, letter.properties.isAlphabetic else {
                throw problem("a bad \\c")
            }
            position += 1
            return letter.value & 0x1F
        case "x": return try hexadecimal(2)
        case "u": return try unicodeEscape()
        case "A"..."Z", "a"..."z", "0"..."9": throw problem("the unknown escape \\\(scalar)")
        default: return scalar.value
        }
    }

    private mutating func unicodeEscape() throws(RuleError) -> UInt32 {
        if take("{" as Unicode.Scalar) {
            var value: UInt32 = 0
            let start = position
            while let scalar = next, let digit = Self.digit(scalar), value <= CharacterSet.last {
                value = value << 4 | digit
                position += 1
            }
            guard position > start, value <= CharacterSet.last, take("}" as Unicode.Scalar) else {
                throw problem("a bad \\u")
            }
            return value
        }
        let unit = try hexadecimal(4)
        guard unit & 0xFC00 == 0xD800, take("\\u") else { return unit }
        let low = try hexadecimal(4)
        guard low & 0xFC00 == 0xDC00 else { throw problem("half a surrogate pair") }
        return 0x10000 + (unit & 0x3FF) << 10 + (low & 0x3FF)
    }

    private mutating func hexadecimal(_ count: Int) throws(RuleError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let scalar = next, let digit = Self.digit(scalar) else {
                throw problem("a bad escape")
            }
            value = value << 4 | digit
            position += 1
        }
        return value
    }

    private mutating func property() throws(RuleError) -> CharacterSet {
        guard take("{" as Unicode.Scalar), let end = scalars[position...].firstIndex(of: "}") else {
            throw problem("a bad \\p")
        }
        let name = String(String.UnicodeScalarView(scalars[position..<end]))
        position = end + 1
        guard let set = CharacterSet.property(name) else {
            throw problem("the property \(name), which is not known,")
        }
        return set
    }
}
