import CMartletSystem

/// Rules for subjects: tokens split by dots; `*` is one token, a last `>` is one or more.
/// A wildcard character inside a longer token means itself.
enum Subject {
    /// Whether a subscription may name it: no empty token, and `>` only as the last one.
    static func isValidForSubscription(_ bytes: Bytes, _ count: Int) -> Bool {
        guard count > 0 else { return false }
        var start = 0
        var sawTail = false
        for i in 0...count where unsafe i == count || bytes[i] == .dot {
            if i == start || sawTail { return false }
            if i - start == 1, unsafe bytes[start] == .greaterThan { sawTail = true }
            start = i + 1
        }
        return true
    }

    /// Whether a pedantic publisher may name it: valid, and no token is a wildcard.
    static func isValidForPublish(_ bytes: Bytes, _ count: Int) -> Bool {
        guard count > 0 else { return false }
        var start = 0
        for i in 0...count where unsafe i == count || bytes[i] == .dot {
            if i == start { return false }
            if i - start == 1, unsafe isWildcard(bytes[start]) { return false }
            start = i + 1
        }
        return true
    }

    @inline(__always)
    static func isWildcard(_ byte: UInt8) -> Bool { byte == .asterisk || byte == .greaterThan }

    static func tokenCount(_ bytes: Bytes, _ count: Int) -> Int {
        var tokens = 1
        for i in 0..<count where unsafe bytes[i] == .dot { tokens += 1 }
        return tokens
    }

    /// Whether `filter` covers `subject`; used where single pairs are compared (reply subjects).
    static func matches(
        _ filter: Bytes, _ filterCount: Int, _ subject: Bytes, _ subjectCount: Int
    ) -> Bool {
        var f = 0
        var s = 0
        while f < filterCount && s < subjectCount {
            let filterEnd = unsafe tokenEnd(filter, filterCount, from: f)
            let subjectEnd = unsafe tokenEnd(subject, subjectCount, from: s)
            if filterEnd - f == 1, unsafe filter[f] == .greaterThan, filterEnd == filterCount {
                return true
            }
            let isAny = unsafe filterEnd - f == 1 && filter[f] == .asterisk
            if !isAny {
                guard filterEnd - f == subjectEnd - s else { return false }
                for i in 0..<(filterEnd - f) where unsafe filter[f + i] != subject[s + i] {
                    return false
                }
            }
            f = filterEnd + 1
            s = subjectEnd + 1
        }
        return f > filterCount && s > subjectCount
    }

    private static func tokenEnd(_ bytes: Bytes, _ count: Int, from start: Int) -> Int {
        var i = start
        while unsafe i < count && bytes[i] != .dot { i += 1 }
        return i
    }
}

extension UInt8 {
    static let dot = UInt8(ascii: ".")
    static let asterisk = UInt8(ascii: "*")
    static let greaterThan = UInt8(ascii: ">")
    static let space = UInt8(ascii: " ")
    static let tab = UInt8(ascii: "\t")
    static let carriageReturn = UInt8(ascii: "\r")
    static let lineFeed = UInt8(ascii: "\n")
}
