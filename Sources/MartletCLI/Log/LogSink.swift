/// One entry of the log.
struct LogEntry {
    let label: LogLabel
    let text: String
}

/// Where log entries go. A sink never waits: what cannot be written now is dropped and counted.
/// `ServerLog` calls it under its lock.
protocol LogSink: AnyObject {
    func write(_ entry: LogEntry)
    /// Writes what is left, as far as that is possible at once, and closes what was opened.
    func close()
}

/// How an entry looks as a line of text.
struct LogLineStyle {
    var showsTime = true
    var usesUTC = false
    var isColoured = false
    var processID: Int32

    /// `[pid] 2026/11/22 20:25:25.123456 [INF] text`
    func line(_ entry: LogEntry) -> String {
        let stamp = showsTime ? WallClock.now(utc: usesUTC).logStamp + " " : ""
        let name = entry.label.rawValue
        let label =
            isColoured ? "\u{1B}[\(entry.label.colour)m\(name)\u{1B}[0m" : name
        return "[\(processID)] \(stamp)[\(label)] \(entry.text)\n"
    }
}
