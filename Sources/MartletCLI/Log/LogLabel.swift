import Logging

/// The level as nats-server's log lines show it.
enum LogLabel: String {
    case information = "INF"
    case debug = "DBG"
    case warning = "WRN"
    case error = "ERR"
    case fatal = "FTL"
    case trace = "TRC"

    init(_ level: Logger.Level) {
        self =
            switch level {
            case .trace: .trace
            case .debug: .debug
            case .info, .notice: .information
            case .warning: .warning
            case .error: .error
            case .critical: .fatal
            }
    }

    /// The terminal colour.
    var colour: String {
        switch self {
        case .information: "32"
        case .debug: "36"
        case .warning: "0;93"
        case .error, .fatal: "31"
        case .trace: "33"
        }
    }

    /// The severity of RFC 5424; nats-server logs traces as notices.
    var syslogSeverity: Int {
        switch self {
        case .fatal: 2
        case .error: 3
        case .warning: 4
        case .information, .trace: 5
        case .debug: 7
        }
    }
}
