extension ConfigurationParser {
    mutating func parseValue(
        at position: ConfigurationPosition
    ) throws(BrokerError) -> ConfigurationValue {
        lexer.skip { $0.isInlineSpace }
        let start = lexer.isAtBareScalar ? lexer.place : nil
        let content = try parseContent()
        return ConfigurationValue(
            content: content, position: position, bareText: start.map { lexer.written(since: $0) })
    }

    private mutating func parseContent() throws(BrokerError) -> ConfigurationValue.Content {
        switch lexer.peek {
        case "{": return .map(try parseMap())
        case "[": return .array(try parseArray())
        default: break
        }
        let position = lexer.position
        switch try lexer.scalar() {
        case .string(let text): return .string(text)
        case .boolean(let flag): return .boolean(flag)
        case .integer(let digits, let unit): return try integer(digits, unit, at: position)
        case .float(let text): return try float(text, at: position)
        case .datetime(let text): return try datetime(text, at: position)
        case .variable(let name): return try variable(name, at: position)
        }
    }

    // MARK: Numbers

    private func integer(
        _ digits: String, _ unit: String, at position: ConfigurationPosition
    ) throws(BrokerError) -> ConfigurationValue.Content {
        guard let multiplier = Self.multiplier(of: unit.lowercased()) else {
            throw BrokerError(
                .configuration, "\(position): '\(unit)' in '\(digits)\(unit)' is not a size unit")
        }
        guard let number = Int64(digits) else {
            throw outOfRange("integer", digits + unit, position)
        }
        let (product, overflows) = number.multipliedReportingOverflow(by: multiplier)
        if overflows { throw outOfRange("integer", digits + unit, position) }
        return .integer(product)
    }

    /// One letter alone counts in thousands, with b, i or ib in 1024s.
    private static func multiplier(of unit: String) -> Int64? {
        guard let letter = unit.first else { return 1 }
        guard let power = Array("kmgtpe").firstIndex(of: letter) else { return nil }
        let base: Int64
        switch unit.dropFirst() {
        case "": base = 1000
        case "b", "i", "ib": base = 1024
        default: return nil
        }
        return (0...power).reduce(1) { product, _ in product * base }
    }

    private func float(
        _ text: String, at position: ConfigurationPosition
    ) throws(BrokerError) -> ConfigurationValue.Content {
        guard let number = Double(text), number.isFinite else {
            throw outOfRange("float", text, position)
        }
        return .float(number)
    }

    private func outOfRange(
        _ kind: String, _ text: String, _ position: ConfigurationPosition
    ) -> BrokerError {
        BrokerError(.configuration, "\(position): \(kind) '\(text)' is out of the range")
    }

    private func datetime(
        _ text: String, at position: ConfigurationPosition
    ) throws(BrokerError) -> ConfigurationValue.Content {
        let parts = text.split { "-T:Z".contains($0) }.compactMap { Int($0) }
        let (year, month, day) = (parts[0], parts[1], parts[2])
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...12).contains(month), (1...days[month - 1]).contains(day),
            parts[3] < 24, parts[4] < 60, parts[5] < 60
        else {
            throw BrokerError(
                .configuration, "\(position): expected Zulu formatted DateTime, but got '\(text)'")
        }
        return .datetime(text)
    }

    // MARK: Variables

    /// Bcrypt hashes need no quotes: no variable is named like their start.
    private static let bcryptPrefixes = ["2a$", "2b$", "2y$"]

    private mutating func variable(
        _ name: String, at position: ConfigurationPosition
    ) throws(BrokerError) -> ConfigurationValue.Content {
        if Self.bcryptPrefixes.contains(where: name.hasPrefix) { return .string("$" + name) }
        for scope in scopes.indices.reversed() {
            guard let value = scopes[scope].useAsVariable(name) else { continue }
            return try take(value)
        }
        let reference = "\(position): variable reference for '\(name)' on line \(position.line)"
        guard let text = environment[name] else {
            throw BrokerError(.configuration, "\(reference) can not be found")
        }
        do throws(BrokerError) {
            if let value = resolved[name] { return try take(value) }
            return try take(try environmentValue(of: name, text))
        } catch {
            throw BrokerError(.configuration, "\(reference) could not be parsed: \(error.message)")
        }
    }

    /// What a variable stands for, if there may be as much in this place.
    private mutating func take(
        _ value: ConfigurationValue
    ) throws(BrokerError) -> ConfigurationValue.Content {
        try expectDepth(depth + value.extent.depth)
        try take(bytes: value.extent.bytes)
        return value.content
    }

    /// What an environment variable's text would be as a value in a file: it may refer to others.
    private mutating func environmentValue(
        of name: String, _ text: String
    ) throws(BrokerError) -> ConfigurationValue {
        guard !resolving.contains(name) else {
            throw BrokerError(.configuration, "variable reference cycle for '\(name)'")
        }
        guard resolving.count < Self.depthMax else {
            throw BrokerError(
                .configuration, "variables refer to each other more than \(Self.depthMax) deep")
        }
        let key = "pk"
        var parser = ConfigurationParser(
            "\(key)=\(text)", file: "$\(name)", environment: environment)
        parser.resolving = resolving.union([name])
        parser.resolved = resolved
        parser.bytesTaken = bytesTaken
        guard let value = try parser.parse()[key] else {
            throw BrokerError(.configuration, "the environment variable has no value")
        }
        bytesTaken = parser.bytesTaken
        resolved = parser.resolved
        resolved[name] = value
        return value
    }
}
