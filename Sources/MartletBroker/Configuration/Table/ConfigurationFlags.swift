/// The flags of `martlet serve` that are keys of the configuration by another name.
package enum ConfigurationFlags {
    private static let keysByFlag = {
        var keys: [String: [ConfigurationKey<BrokerConfiguration>]] = [:]
        for key in ConfigurationTable.ofConfiguration.flatMap(\.keys) {
            for flag in key.facts.flags { keys[flag, default: []].append(key) }
        }
        return keys
    }()

    /// Every one, without dashes.
    package static var names: [String] { keysByFlag.keys.sorted() }

    /// How the flag's value is written; nil for a flag that is no key.
    package static func kind(of flag: String) -> ConfigurationFlagKind? {
        keysByFlag[flag]?.first?.facts.flagKind
    }

    /// A flag's value, of the kind that the flag takes.
    package enum Value: Sendable, Equatable {
        case toggle(Bool)
        case number(Int)
        case text(String)
    }

    /// Sets what the flag stands for, as if the file said so. Throws `BrokerError.Code.configuration`
    /// for a value that the file could not have either.
    package static func set(
        _ flag: String, to value: Value, in configuration: inout BrokerConfiguration
    ) throws(BrokerError) {
        let content: ConfigurationValue.Content =
            switch value {
            case .toggle(let isOn): .boolean(isOn)
            case .number(let number): .integer(Int64(number))
            case .text(let text): .string(text)
            }
        let position = ConfigurationPosition(file: "flag -\(flag)", line: 0, column: 0)
        var reader = ConfigurationReader()
        do throws(ConfigurationComplaint) {
            for key in keysByFlag[flag] ?? [] {
                let entry = ConfigurationMap.Entry(
                    key: key.facts.names[0],
                    value: ConfigurationValue(content: content, position: position))
                try key.read(entry, &configuration, &reader)
            }
        } catch {
            throw BrokerError(.configuration, error.text)
        }
    }
}
