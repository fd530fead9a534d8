/// A JSON number as written, compared exactly: no floating point, no rounding.
struct Decimal {
    private let bytes: Bytes
    let isNegative: Bool
    /// The first digit that is not zero; the end of the digits for zero.
    private let first: Int
    /// Behind the last digit that is not zero.
    private let digitsEnd: Int
    /// The power of ten of the first digit.
    let topPower: Int
    /// The power of ten of the last digit that is not zero.
    let lastPower: Int

    var isZero: Bool { first == digitsEnd }
    var isInteger: Bool { isZero || lastPower >= 0 }

    init(_ bytes: Bytes, _ entry: JSONEntry) {
        self.bytes = bytes
        isNegative = bytes[entry.offset] == UInt8(ascii: "-")
        var first = -1
        var last = 0
        // Digits before the point, or places behind it as a negative number, at the first and the
        // last.
        var position = isNegative ? entry.offset &+ 1 : entry.offset
        var point = -1
        var end = position
        while position < entry.end {
            let byte = bytes[position]
            if byte == UInt8(ascii: ".") {
                point = position
            } else if byte | 0x20 == UInt8(ascii: "e") {
                break
            } else if byte != UInt8(ascii: "0") {
                if first < 0 { first = position }
                last = position
            }
            position &+= 1
            end = position
        }
        if point < 0 { point = end }
        let exponent = Self.exponent(bytes, position, entry.end)
        if first < 0 {
            self.first = end
            digitsEnd = end
            topPower = 0
            lastPower = 0
            return
        }
        self.first = first
        digitsEnd = last &+ 1
        topPower = exponent &+ (first < point ? point &- first &- 1 : point &- first)
        lastPower = exponent &+ (last < point ? point &- last &- 1 : point &- last)
    }

    /// From the letter on. More digits than any payload could make up for are as good as more.
    private static func exponent(_ bytes: Bytes, _ start: Int, _ end: Int) -> Int {
        var position = start &+ 1
        if position >= end { return 0 }
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative || bytes[position] == UInt8(ascii: "+") { position &+= 1 }
        var value = 0
        while position < end {
            value = min(value &* 10 &+ Int(bytes[position] & 0xF), 1 &<< 40)
            position &+= 1
        }
        return isNegative ? 0 &- value : value
    }

    /// The next digit, or zero behind the last one.
    private func digit(_ position: inout Int) -> UInt8 {
        if position < digitsEnd && bytes[position] == UInt8(ascii: ".") { position &+= 1 }
        if position >= digitsEnd { return 0 }
        position &+= 1
        return bytes[position &- 1] & 0xF
    }

    /// Below, at or above zero as this is less than, equal to or greater than the other.
    func compared(to other: Decimal) -> Int {
        if isZero || other.isZero {
            return isZero ? (other.isZero ? 0 : other.isNegative ? 1 : -1) : isNegative ? -1 : 1
        }
        if isNegative != other.isNegative { return isNegative ? -1 : 1 }
        let sign = isNegative ? -1 : 1
        if topPower != other.topPower { return topPower < other.topPower ? 0 &- sign : sign }
        var mine = first
        var theirs = other.first
        while mine < digitsEnd || theirs < other.digitsEnd {
            let a = digit(&mine)
            let b = other.digit(&theirs)
            if a != b { return a < b ? 0 &- sign : sign }
        }
        return 0
    }

    /// The digits from the first to the last that is not zero, if they are at most eighteen.
    var coefficient: UInt64? {
        var value: UInt64 = 0
        var count = 0
        var position = first
        while position < digitsEnd {
            value = value &* 10 &+ UInt64(digit(&position))
            count += 1
        }
        return count <= 18 ? value : nil
    }

    /// Whether this is a whole number of times `divisor` times ten to the power of `power`. The
    /// divisor is not zero and does not end with a zero, nor do these digits: so a power below the
    /// divisor's is out.
    func isMultiple(of divisor: UInt64, power: Int) -> Bool {
        if isZero { return true }
        if lastPower < power { return false }
        var rest: UInt64 = 0
        var position = first
        while position < digitsEnd {
            rest = Self.product(rest, 10, modulo: divisor, plus: UInt64(digit(&position)))
        }
        // Ten to the power of what is between, by squaring.
        var exponent = lastPower &- power
        var base = 10 % divisor
        while exponent > 0 && rest != 0 {
            if exponent & 1 == 1 { rest = Self.product(rest, base, modulo: divisor, plus: 0) }
            base = Self.product(base, base, modulo: divisor, plus: 0)
            exponent &>>= 1
        }
        return rest == 0
    }

    private static func product(
        _ a: UInt64, _ b: UInt64, modulo: UInt64, plus: UInt64
    ) -> UInt64 {
        let wide = a.multipliedFullWidth(by: b)
        let (low, carry) = wide.low.addingReportingOverflow(plus)
        return modulo.dividingFullWidth((wide.high &+ (carry ? 1 : 0), low)).remainder
    }

    /// The same for numbers that are equal.
    func add(to hash: inout SipHash) {
        if isZero { return hash.add(UInt64(JSONKind.number.rawValue)) }
        let power = UInt64(bitPattern: Int64(topPower))
        hash.add(power &<< 8 | (isNegative ? 0x80 : 0) | UInt64(JSONKind.number.rawValue))
        var position = first
        while position < digitsEnd {
            // Eighteen digits at a time, and a one in front.
            var digits: UInt64 = 1
            var count = 0
            while position < digitsEnd && count < 18 {
                digits = digits &* 10 &+ UInt64(digit(&position))
                count &+= 1
            }
            hash.add(digits)
        }
    }
}
