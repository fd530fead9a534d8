import MartletBroker

/// Headers as people write and read them.
extension InProcessHeaders {
    /// From lines that are `Name: value` or `Name:value`.
    init(lines: [String]) throws(CommandFailure) {
        self.init()
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), colon > line.startIndex else {
                throw .wrongArguments("a header is \"Name: value\", not \"\(line)\"")
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            append(String(line[..<colon]), String(value))
        }
        // What cannot be sent is refused before anything is connected.
        do throws(BrokerError) { _ = try encoded() } catch { throw .wrongArguments(error.message) }
    }

    var lines: [String] { fields.map { "\($0.name): \($0.value)" } }
}
