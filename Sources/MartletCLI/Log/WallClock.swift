import Glibc

/// A moment, broken down into calendar fields.
struct WallClock {
    private let date: [Int]
    private let clock: [Int]
    private let nanoseconds: Int

    static func now(utc: Bool = false) -> WallClock {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return WallClock(time, utc: utc)
    }

    init(_ time: timespec, utc: Bool) {
        var seconds = time.tv_sec
        var fields = unsafe tm()
        if utc {
            unsafe gmtime_r(&seconds, &fields)
        } else {
            unsafe localtime_r(&seconds, &fields)
        }
        let year = unsafe Int(fields.tm_year) + 1900
        let month = unsafe Int(fields.tm_mon) + 1
        date = unsafe [year, month, Int(fields.tm_mday)]
        clock = unsafe [Int(fields.tm_hour), Int(fields.tm_min), Int(fields.tm_sec)]
        nanoseconds = time.tv_nsec
    }

    /// `2026/11/22 20:25:25.123456`
    var logStamp: String {
        "\(date("/")) \(clock(":")).\(Self.padded(nanoseconds / 1_000, 6))"
    }

    /// `2026.11.22.20.25.25.123456789`, the end of a rotated file's name.
    var backupStamp: String { "\(date(".")).\(clock(".")).\(Self.padded(nanoseconds, 9))" }

    /// `2026-11-22T20:25:25Z`; for a clock in UTC.
    var internetStamp: String { "\(date("-"))T\(clock(":"))Z" }

    /// `Nov 22 20:25:25`
    var syslogStamp: String {
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        let day = date[2]
        return "\(months[date[1] - 1]) \(day < 10 ? " " : "")\(day) \(clock(":"))"
    }

    private func date(_ separator: String) -> String {
        [Self.padded(date[0], 4), Self.padded(date[1], 2), Self.padded(date[2], 2)]
            .joined(separator: separator)
    }

    private func clock(_ separator: String) -> String {
        clock.map { Self.padded($0, 2) }.joined(separator: separator)
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
