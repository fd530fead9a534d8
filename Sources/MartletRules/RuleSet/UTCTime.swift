/// A point in time as RFC 3339 has it, in UTC and with milliseconds: `2026-11-22T21:04:55.120Z`.
struct UTCTime {
    private let days: Int
    private let milliseconds: Int

    init(unixNanoseconds: Int64) {
        let all = Self.floor(Int(unixNanoseconds), 1_000_000)
        days = Self.floor(all, 86_400_000)
        milliseconds = all &- days &* 86_400_000
    }

    private static func floor(_ number: Int, _ divisor: Int) -> Int {
        number >= 0 ? number / divisor : (number &+ 1) / divisor &- 1
    }

    /// Years are counted from the first of March on, so that the leap day is the last one.
    private var date: (year: Int, month: Int, day: Int) {
        let sinceYearZero = days &+ 719_468
        let era = Self.floor(sinceYearZero, 146_097)
        let dayOfEra = sinceYearZero &- era &* 146_097
        let yearOfEra =
            (dayOfEra &- dayOfEra / 1_460 &+ dayOfEra / 36_524 &- dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra &- (365 &* yearOfEra &+ yearOfEra / 4 &- yearOfEra / 100)
        let shifted = (5 &* dayOfYear &+ 2) / 153
        let month = shifted < 10 ? shifted &+ 3 : shifted &- 9
        return (
            yearOfEra &+ era &* 400 &+ (month <= 2 ? 1 : 0), month,
            dayOfYear &- (153 &* shifted &+ 2) / 5 &+ 1
        )
    }

    func write(to writer: inout ByteWriter) {
        let (year, month, day) = date
        writer.write(decimal: year, digits: 4)
        writer.write("-")
        writer.write(decimal: month, digits: 2)
        writer.write("-")
        writer.write(decimal: day, digits: 2)
        writer.write("T")
        writer.write(decimal: milliseconds / 3_600_000, digits: 2)
        writer.write(":")
        writer.write(decimal: milliseconds / 60_000 % 60, digits: 2)
        writer.write(":")
        writer.write(decimal: milliseconds / 1_000 % 60, digits: 2)
        writer.write(".")
        writer.write(decimal: milliseconds % 1_000, digits: 3)
        writer.write("Z")
    }
}
