/// A parameter that cannot be read, in nats-server's words: over HTTP it is answered with status 400.
struct QueryFailure: Error, Equatable {
    let message: String
}

/// What an endpoint is asked for, by name.
struct MonitorQuery: Equatable, Sendable {
    /// In the order given; the first of a name counts, as in Go.
    let parameters: [(name: String, value: String)]

    init(_ parameters: [(name: String, value: String)] = []) {
        self.parameters = parameters
    }

    static func == (one: MonitorQuery, other: MonitorQuery) -> Bool {
        one.parameters.elementsEqual(other.parameters) { $0 == $1 }
    }

    /// The value of a parameter; empty when there is none.
    func value(_ name: String) -> String { parameters.first { $0.name == name }?.value ?? "" }

    func boolean(_ name: String) throws(QueryFailure) -> Bool {
        switch value(name) {
        case "", "0", "f", "F", "false", "FALSE", "False": return false
        case "1", "t", "T", "true", "TRUE", "True": return true
        case let text: throw failure("boolean", name, "ParseBool", text)
        }
    }

    func integer(_ name: String) throws(QueryFailure) -> Int {
        let text = value(name)
        if text.isEmpty { return 0 }
        guard let number = Int(text) else { throw failure("int", name, "Atoi", text) }
        return number
    }

    func unsigned(_ name: String) throws(QueryFailure) -> UInt64 {
        let text = value(name)
        if text.isEmpty { return 0 }
        guard text.first != "+", let number = UInt64(text) else {
            throw failure("uint64", name, "ParseUint", text)
        }
        return number
    }

    private func failure(
        _ type: String, _ name: String, _ function: String, _ text: String
    ) -> QueryFailure {
        let isNumber = function != "ParseBool" && text.drop { $0 == "-" }.allSatisfy(\.isNumber)
        let reason = isNumber && text != "-" ? "value out of range" : "invalid syntax"
        return QueryFailure(
            message: "Error decoding \(type) for '\(name)': "
                + "strconv.\(function): parsing \"\(text)\": \(reason)")
    }
}
