/// Reads query parameters; a bad one is answered with nats-server's text and status 400.
struct QueryFailure: Error, Equatable {
    let message: String
}

extension HTTPRequest {
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
