/// Formats that can be checked where a schema's options ask for it.
enum StringFormat: UInt8 {
    case dateTime, date, time, uuid, ipv4, ipv6, email

    init?(_ name: String) {
        switch name {
        case "date-time": self = .dateTime
        case "date": self = .date
        case "time": self = .time
        case "uuid": self = .uuid
        case "ipv4": self = .ipv4
        case "ipv6": self = .ipv6
        case "email": self = .email
        default: return nil
        }
    }

    func accepts(_ bytes: Bytes, _ entry: JSONEntry) -> Bool {
        var reader = FormatReader(ScalarReader(bytes, entry))
        let isRight =
            switch self {
            case .dateTime: reader.date() && reader.take(anyOf: "T", "t") && reader.time()
            case .date: reader.date()
            case .time: reader.time()
            case .uuid: reader.uuid()
            case .ipv4: reader.ipv4()
            case .ipv6: reader.ipv6()
            case .email: reader.email()
            }
        return isRight && reader.isAtEnd
    }
}

/// Reads the parts of formats from a string, with one character looked ahead.
struct FormatReader {
    private var reader: ScalarReader
    /// No character at the end.
    private var next = UInt32.max

    init(_ reader: ScalarReader) {
        self.reader = reader
        advance()
    }

    var isAtEnd: Bool { next == .max }

    private mutating func advance() {
        next = reader.isAtEnd ? .max : reader.next()
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard next == scalar.value else { return false }
        advance()
        return true
    }

    mutating func take(anyOf a: Unicode.Scalar, _ b: Unicode.Scalar) -> Bool { take(a) || take(b) }

    private static func isDigit(_ scalar: UInt32) -> Bool { scalar &- 0x30 <= 9 }

    private static func isHexadecimal(_ scalar: UInt32) -> Bool {
        isDigit(scalar) || scalar | 0x20 >= 0x61 && scalar | 0x20 <= 0x66 && scalar < 0x80
    }

    /// A number of exactly so many digits, or -1.
    private mutating func number(_ digits: Int) -> Int {
        var value = 0
        for _ in 0..<digits {
            guard Self.isDigit(next) else { return -1 }
            value = value * 10 + Int(next - 0x30)
            advance()
        }
        return value
    }

    // MARK: - Dates and times (RFC 3339)

    mutating func date() -> Bool {
        let year = number(4)
        guard year >= 0, take("-") else { return false }
        let month = number(2)
        guard month >= 1 && month <= 12, take("-") else { return false }
        let day = number(2)
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days =
            switch month {
            case 2: isLeap ? 29 : 28
            case 4, 6, 9, 11: 30
            default: 31
            }
        return day >= 1 && day <= days
    }

    mutating func time() -> Bool {
        let hour = number(2)
        guard hour >= 0 && hour <= 23, take(":") else { return false }
        let minute = number(2)
        guard minute >= 0 && minute <= 59, take(":") else { return false }
        let second = number(2)
        guard second >= 0 && second <= 60 else { return false }
        if take(".") {
            guard Self.isDigit(next) else { return false }
            while Self.isDigit(next) { advance() }
        }
        guard let offset = offset() else { return false }
        // A leap second is the last of a day in UTC.
        return second < 60 || (hour * 60 + minute - offset + 2_880) % 1_440 == 1_439
    }

    /// Minutes ahead of UTC.
    private mutating func offset() -> Int? {
        if take(anyOf: "Z", "z") { return 0 }
        let isBehind = next == 0x2D
        guard take(anyOf: "+", "-") else { return nil }
        let hours = number(2)
        guard hours >= 0 && hours <= 23, take(":") else { return nil }
        let minutes = number(2)
        guard minutes >= 0 && minutes <= 59 else { return nil }
        return (hours * 60 + minutes) * (isBehind ? -1 : 1)
    }

    // MARK: - Identifiers and addresses

    mutating func uuid() -> Bool {
        for position in 0..<36 {
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard take("-") else { return false }
            } else {
                guard Self.isHexadecimal(next) else { return false }
                advance()
            }
        }
        return true
    }

    mutating func ipv4() -> Bool {
        for part in 0..<4 {
            if part > 0 && !take(".") { return false }
            guard octet() else { return false }
        }
        return true
    }

    /// 0 to 255 without leading zeros.
    private mutating func octet() -> Bool {
        var value = 0
        var digits = 0
        while Self.isDigit(next) && digits < 4 {
            if digits > 0 && value == 0 { return false }
            value = value * 10 + Int(next - 0x30)
            digits += 1
            advance()
        }
        return digits > 0 && value <= 255
    }

    mutating func ipv6() -> Bool {
        var groups = 0
        var isShortened = false
        if take(":") {
            guard take(":") else { return false }
            isShortened = true
        }
        while Self.isHexadecimal(next) {
            let before = self
            var digits = 0
            while Self.isHexadecimal(next) && digits < 5 {
                digits += 1
                advance()
            }
            if next == 0x2E {
                self = before
                return ipv4() && (isShortened ? groups <= 5 : groups == 6)
            }
            groups += 1
            if digits > 4 || groups > 8 { return false }
            guard take(":") else { break }
            if take(":") {
                if isShortened { return false }
                isShortened = true
            } else if !Self.isHexadecimal(next) {
                return false
            }
        }
        return isShortened ? groups <= 7 : groups == 8
    }

    /// A mailbox of RFC 5321: words with dots between, or anything in quotes; and a domain of labels, or
    /// an address in brackets.
    mutating func email() -> Bool {
        guard next == 0x22 ? quotedString() : dotString(), take("@") else { return false }
        return take("[") ? addressLiteral() && take("]") : domain()
    }

    private mutating func dotString() -> Bool {
        repeat {
            guard Self.isAtom(next) else { return false }
            while Self.isAtom(next) { advance() }
        } while take(".")
        return true
    }

    private mutating func quotedString() -> Bool {
        guard take("\"") else { return false }
        while !take("\"") {
            // A backslash makes the next character one like others.
            _ = take("\\")
            guard (0x20...0x7E).contains(next) else { return false }
            advance()
        }
        return true
    }

    private mutating func domain() -> Bool {
        repeat {
            guard Self.isLetterOrDigit(next) else { return false }
            var last = next
            while Self.isLetterOrDigit(next) || next == 0x2D {
                last = next
                advance()
            }
            if last == 0x2D { return false }
        } while take(".")
        return true
    }

    private mutating func addressLiteral() -> Bool {
        if Self.isDigit(next) { return ipv4() }
        for letter in "IPv6:".unicodeScalars {
            let isSame =
                next == letter.value
                || letter.properties.isAlphabetic && next < 0x80 && next ^ 0x20 == letter.value
            guard isSame else { return false }
            advance()
        }
        return ipv6()
    }

    private static func isLetterOrDigit(_ scalar: UInt32) -> Bool {
        isDigit(scalar) || (scalar | 0x20) &- 0x61 < 26 && scalar < 0x80
    }

    private static func isAtom(_ scalar: UInt32) -> Bool {
        if isLetterOrDigit(scalar) { return true }
        switch scalar {
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2F, 0x3D, 0x3F, 0x5E...0x60, 0x7B...0x7E:
            return true
        default: return false
        }
    }
}
