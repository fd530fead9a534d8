/// Durations and times as Go prints them: monitoring tools parse these texts.
enum GoText {
    /// A `time.Duration`: `1.114211ms`, `531µs`, `1m2s`, `0s`.
    static func duration(nanoseconds: UInt64) -> String {
        guard nanoseconds > 0 else { return "0s" }
        if nanoseconds < 1_000 { return "\(nanoseconds)ns" }
        if nanoseconds < 1_000_000 { return fraction(nanoseconds, per: 1_000) + "µs" }
        if nanoseconds < 1_000_000_000 { return fraction(nanoseconds, per: 1_000_000) + "ms" }
        let minutes = nanoseconds / 60_000_000_000
        let seconds = fraction(nanoseconds % 60_000_000_000, per: 1_000_000_000) + "s"
        if minutes == 0 { return seconds }
        if minutes < 60 { return "\(minutes)m\(seconds)" }
        return "\(minutes / 60)h\(minutes % 60)m\(seconds)"
    }

    /// An uptime, in whole seconds: `1y2d3h4m5s`, `2m0s`, `7s`.
    static func uptime(nanoseconds: UInt64) -> String {
        let seconds = nanoseconds / 1_000_000_000
        let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400)
        var text = "\(seconds % 60)s"
        if minutes > 0 { text = "\(minutes % 60)m" + text }
        if hours > 0 { text = "\(hours % 24)h" + text }
        if days > 0 { text = "\(days % 365)d" + text }
        if days >= 365 { text = "\(days / 365)y" + text }
        return text
    }

    /// A moment in UTC by RFC 3339, with nanoseconds less their trailing zeros.
    static func time(nanosecondsSince1970 moment: UInt64) -> String {
        let seconds = Int(moment / 1_000_000_000)
        let (year, month, day) = date(daysSince1970: seconds / 86_400)
        let ofDay = seconds % 86_400
        let clock = [ofDay / 3_600, ofDay / 60 % 60, ofDay % 60].map { padded($0, 2) }
        var rest = padded(Int(moment % 1_000_000_000), 9)
        while rest.hasSuffix("0") { rest.removeLast() }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T"
            + clock.joined(separator: ":") + (rest.isEmpty ? "Z" : ".\(rest)Z")
    }

    private static func fraction(_ value: UInt64, per unit: UInt64) -> String {
        var digits = padded(Int(value % unit), String(unit).count - 1)
        while digits.hasSuffix("0") { digits.removeLast() }
        return digits.isEmpty ? "\(value / unit)" : "\(value / unit).\(digits)"
    }

    /// The Gregorian date, by counting eras of 400 years from 1 March of the year 0.
    private static func date(daysSince1970: Int) -> (year: Int, month: Int, day: Int) {
        let days = daysSince1970 + 719_468
        let (era, ofEra) = (days / 146_097, days % 146_097)
        let year = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * year + year / 4 - year / 100)
        let month = (5 * ofYear + 2) / 153
        let day = ofYear - (153 * month + 2) / 5 + 1
        let calendarMonth = month < 10 ? month + 3 : month - 9
        return (era * 400 + year + (calendarMonth <= 2 ? 1 : 0), calendarMonth, day)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
