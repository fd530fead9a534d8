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
}

extension StringFormat {
    func accepts(_ bytes: Bytes, _ entry: JSONEntry) -> Bool {
        true
    }
}
