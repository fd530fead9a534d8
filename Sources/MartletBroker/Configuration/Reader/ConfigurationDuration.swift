/// Durations as Go writes and reads them: "1h5m.5s", "300ms".
enum ConfigurationDuration {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("ns", 1), ("us", 1_000), ("µs", 1_000), ("μs", 1_000), ("ms", 1_000_000),
        ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    struct Failure: Error {
        let reason: String
    }

    /// Nanoseconds.
    static func parse(_ text: String) throws(Failure) -> Int64 {
        let invalid = Failure(reason: "time: invalid duration \"\(text)\"")
        var rest = Substring(text)
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest.removeFirst() }
        if rest == "0" { return 0 }
        guard !rest.isEmpty else { throw invalid }

        var total: Int64 = 0
        while !rest.isEmpty {
            guard let part = try takePart(of: &rest, in: text) else { throw invalid }
            let (sum, overflows) = total.addingReportingOverflow(part)
            if overflows { throw invalid }
            total = sum
        }
        return isNegative ? -total : total
    }

    /// A number with its unit, or nil where there is none or it is too large.
    private static func takePart(
        of rest: inout Substring, in text: String
    ) throws(Failure) -> Int64? {
        let whole = digits(of: rest)
        let hasPoint = rest.dropFirst(whole.count).first == "."
        let decimals = hasPoint ? digits(of: rest.dropFirst(whole.count + 1)) : ""
        guard !whole.isEmpty || !decimals.isEmpty else { return nil }
        rest.removeFirst(whole.count + (hasPoint ? 1 : 0) + decimals.count)

        let name = rest.prefix { $0 != "." && !("0"..."9").contains($0) }
        guard !name.isEmpty else {
            throw Failure(reason: "time: missing unit in duration \"\(text)\"")
        }
        guard let unit = units.first(where: { $0.name == name })?.nanoseconds else {
            throw Failure(reason: "time: unknown unit \"\(name)\" in duration \"\(text)\"")
        }
        rest.removeFirst(name.count)

        guard let count = whole.isEmpty ? 0 : Int64(whole) else { return nil }
        let (product, overflows) = count.multipliedReportingOverflow(by: unit)
        let fraction = Double("0.\(decimals)0")!
        let (sum, overflowsToo) = product.addingReportingOverflow(Int64(fraction * Double(unit)))
        return overflows || overflowsToo ? nil : sum
    }

    private static func digits(of text: Substring) -> Substring {
        text.prefix { ("0"..."9").contains($0) }
    }

    /// "2m0s", "1.5s", "300ms": what Go prints.
    static func text(ofNanoseconds nanoseconds: UInt64) -> String {
        if nanoseconds == 0 { return "0s" }
        if nanoseconds < 1_000 { return "\(nanoseconds)ns" }
        if nanoseconds < 1_000_000 { return decimal(nanoseconds, per: 1_000) + "µs" }
        if nanoseconds < 1_000_000_000 { return decimal(nanoseconds, per: 1_000_000) + "ms" }
        let minutes = nanoseconds / 60_000_000_000
        let seconds = decimal(nanoseconds % 60_000_000_000, per: 1_000_000_000) + "s"
        if minutes == 0 { return seconds }
        return minutes < 60 ? "\(minutes)m\(seconds)" : "\(minutes / 60)h\(minutes % 60)m\(seconds)"
    }

    private static func decimal(_ count: UInt64, per unit: UInt64) -> String {
        let rest = count % unit
        if rest == 0 { return "\(count / unit)" }
        var digits = String("\(unit + rest)".dropFirst())
        while digits.last == "0" { digits.removeLast() }
        return "\(count / unit).\(digits)"
    }
}
