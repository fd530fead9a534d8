internal import CMartletSystem

/// The bytes under a scan, read 16 at a time, and what strings, numbers and white space look like.
///
/// SAFETY: the bytes are the copy in the scratch, with `slack` zeros behind it. A zero ends every
/// run, so that nothing is read further than a wide read from the first of them.
@safe
struct ScanText {
    private let base: UnsafePointer<UInt8>

    /// What follows the last byte: from the first zero, an escape is looked at for eleven bytes,
    /// and a wide read has sixteen.
    static let slack = 64

    @unsafe init(_ base: UnsafePointer<UInt8>) {
        unsafe self.base = base
    }

    @inline(always)
    func byte(_ position: Int) -> UInt8 { unsafe base[position] }

    /// Two bytes, as `colonAndQuote` is.
    @inline(always)
    func pair(_ position: Int) -> UInt16 { unsafe martlet_load16(base + position) }

    static let colonAndQuote: UInt16 = 0x223A
    static let quoteAndComma: UInt16 = 0x2C22

    @inline(always)
    func word(_ position: Int) -> UInt32 { unsafe martlet_load32(base + position) }

    @inline(always)
    func afterBlanks(_ position: Int) -> Int {
        byte(position) > 0x20 ? position : afterBlank(position)
    }

    /// The same for what is mostly blank: one space, a line's end with up to 16 spaces, or else any
    /// number.
    @inline(always)
    func afterBlank(_ position: Int) -> Int {
        let next = position &+ 1
        if byte(position) == UInt8(ascii: "\n") {
            let end = unsafe next &+ Int(martlet_json_spaces(base + next))
            return byte(end) > 0x20 ? end : afterManyBlanks(end)
        }
        return byte(position) == 0x20 && byte(next) > 0x20 ? next : afterManyBlanks(position)
    }

    @inline(never)
    private func afterManyBlanks(_ start: Int) -> Int {
        var position = start
        while true {
            let stops = unsafe martlet_json_blank_stops(base + position)
            if stops != 0 { return position &+ stops.trailingZeroBitCount }
            position &+= 16
        }
    }

    // MARK: - Strings

    /// The first byte from a place on that is not plain, or the one 16 bytes further.
    @inline(always)
    func nearStop(_ start: Int) -> Int {
        let stops = unsafe martlet_json_string_stops(base + start)
        return start &+ (stops | 1 &<< 16).trailingZeroBitCount
    }

    /// The first byte from a place on that is not plain.
    @inline(always)
    func stop(_ start: Int) -> Int {
        var position = start
        while true {
            let stops = unsafe martlet_json_string_stops(base + position)
            if stops != 0 { return position &+ stops.trailingZeroBitCount }
            position &+= 16
        }
    }

    /// The closing quote, and the string's flags above `flagsShift`. It may begin anywhere in the
    /// string that only plain bytes are before.
    @inline(never)
    func stringEnd(_ start: Int) throws(JSONFailure) -> Int {
        var position = start
        var flags: UInt32 = 0
        while true {
            position = stop(position)
            let byte = byte(position)
            if byte == UInt8(ascii: "\"") { return position | Int(flags) &<< Self.flagsShift }
            if byte >= 0x80 {
                flags |= JSONEntry.nonASCII
                position = try sequencesEnd(position)
            } else if byte == UInt8(ascii: "\\") {
                flags |= JSONEntry.escaped
                position = try escapeEnd(position)
            } else {
                throw JSONFailure(.controlCharacter, position)
            }
        }
    }

    static let flagsShift = 32

    /// Behind characters outside ASCII.
    @inline(always)
    private func sequencesEnd(_ start: Int) throws(JSONFailure) -> Int {
        var position = start
        while true {
            let word = word(position)
            if word & 0x80 == 0 { return position }
            if word & 0xF0 == 0xE0 {
                let several = unsafe Int(martlet_json_triples(base + position))
                position &+= several
                if several != 0 { continue }
            }
            let length = utf8Length(word)
            if length == 0 { throw JSONFailure(.badUTF8, position) }
            position &+= length
        }
    }

    @inline(always)
    private func escapeEnd(_ start: Int) throws(JSONFailure) -> Int {
        switch byte(start &+ 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return start &+ 2
        case UInt8(ascii: "u"): break
        default: throw JSONFailure(.badEscape, start &+ 1)
        }
        let unit = fourDigits(start &+ 2)
        if unit < 0 { throw JSONFailure(.badEscape, start &+ 2) }
        guard unit & 0xF800 == 0xD800 else { return start &+ 6 }
        guard unit < 0xDC00, byte(start &+ 6) == UInt8(ascii: "\\"),
            byte(start &+ 7) == UInt8(ascii: "u"), fourDigits(start &+ 8) & ~0x3FF == 0xDC00
        else { throw JSONFailure(.loneSurrogate, start) }
        return start &+ 12
    }

    /// Four hexadecimal digits, or -1.
    @inline(never)
    private func fourDigits(_ start: Int) -> Int {
        var unit = 0
        for i in 0..<4 {
            let digit = byte(start &+ i)
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit &<< 4 | Int(digit & 0xF)
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
                unit = unit &<< 4 | (Int(digit & 0xF) &+ 9)
            default: return -1
            }
        }
        return unit
    }

    // MARK: - Numbers

    /// Behind a number, which begins with a digit or a minus.
    @inline(always)
    func numberEnd(
        _ start: Int, _ first: UInt8, _ flags: inout UInt32
    ) throws(JSONFailure) -> Int {
        let end: Int
        if first == UInt8(ascii: "-") {
            let digits = start &+ 1
            end = digitsEnd(digits)
            if end &- digits != 1 && (end == digits || byte(digits) == UInt8(ascii: "0")) {
                throw JSONFailure(.badNumber, min(digits &+ 1, end))
            }
        } else {
            end = digitsEnd(start)
            if first == UInt8(ascii: "0") && end &- start != 1 {
                throw JSONFailure(.badNumber, start &+ 1)
            }
        }
        // Behind the digits '.' is 0x2E, 'E' 0x45 and 'e' 0x65; ',' 0x2C and white space are lower.
        if byte(end) < UInt8(ascii: ".") { return end }
        return try fractionEnd(end, &flags)
    }

    @inline(always)
    private func digitsEnd(_ start: Int) -> Int {
        var position = start
        while true {
            let stops = unsafe martlet_json_digit_stops(base + position)
            if stops != 0 { return position &+ stops.trailingZeroBitCount }
            position &+= 16
        }
    }

    @inline(always)
    private func fractionEnd(_ start: Int, _ flags: inout UInt32) throws(JSONFailure) -> Int {
        var end = start
        if byte(end) == UInt8(ascii: ".") {
            flags = JSONEntry.fractional
            end = digitsEnd(start &+ 1)
            if end == start &+ 1 { throw JSONFailure(.badNumber, end) }
        }
        guard byte(end) | 0x20 == UInt8(ascii: "e") else { return end }
        flags = JSONEntry.fractional | JSONEntry.exponent
        let digits = end &+ 1
        end = try exponentEnd(digits)
        // More than nine digits would not fit the arithmetic of comparisons.
        if end &- digits > 9 && isLongExponent(digits, end) { flags = JSONEntry.tooLong }
        return end
    }

    @inline(never)
    private func isLongExponent(_ start: Int, _ end: Int) -> Bool {
        byte(start) >= UInt8(ascii: "0") || end &- start > 10
    }

    @inline(never)
    private func exponentEnd(_ start: Int) throws(JSONFailure) -> Int {
        let sign = byte(start)
        let digits = start &+ (sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") ? 1 : 0)
        let end = digitsEnd(digits)
        if end == digits { throw JSONFailure(.badNumber, digits) }
        return end
    }

    // MARK: - Keys

    /// The hash of a key without escapes.
    @inline(always)
    func hash(_ start: Int, _ length: Int, _ seed: KeySeed) -> UInt32 {
        unsafe martlet_json_key_hash(base + start, length, seed.factors)
    }
}

/// How many bytes the character has that four bytes begin with; 0 if they are no UTF-8 (RFC 3629).
@inline(always)
private func utf8Length(_ word: UInt32) -> Int {
    let first = word & 0xFF
    let second = word &>> 8 & 0xFF
    if first &- 0xE1 < 0x0C && word & 0xC0_C000 == 0x80_8000 { return 3 }
    if first < 0xE0 {
        return first >= 0xC2 && word & 0xC000 == 0x8000 ? 2 : 0
    }
    if first < 0xF0 {
        guard word & 0xC0_C000 == 0x80_8000 else { return 0 }
        // No longer forms than needed, no surrogates.
        return first == 0xE0 && second < 0xA0 || first == 0xED && second > 0x9F ? 0 : 3
    }
    guard first < 0xF5 && word & 0xC0C0_C000 == 0x8080_8000 else { return 0 }
    return first == 0xF0 && second < 0x90 || first == 0xF4 && second > 0x8F ? 0 : 4
}
