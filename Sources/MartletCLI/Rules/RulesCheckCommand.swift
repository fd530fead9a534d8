import ArgumentParser
import MartletRules

/// `martlet rules check`: compiles the rules and counts them.
struct RulesCheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check the rules, and tell how many there are.",
        discussion: "Exits with 2 when the configuration is not valid.")

    @OptionGroup var file: RulesFileOptions

    func run() throws {
        try report {
            let loaded = try LoadedRules(path: file.path)
            Console.print("\(file.path): \(Self.summary(loaded.definition, loaded.warnings))")
            for warning in loaded.warnings { Console.print("warning: \(warning)") }
            for note in loaded.set.notes { Console.print("note: \(note)") }
        }
    }

    /// "3 rules (1 in shadow mode, 1 off), 2 schemas, 0 warnings".
    static func summary(_ definition: RuleSetDefinition, _ warnings: [String]) -> String {
        let modes: [(RuleDefinition.Mode, String)] = [(.shadow, "in shadow mode"), (.off, "off")]
        let idle = modes.compactMap { mode, words in
            let count = definition.rules.count { $0.mode == mode }
            return count == 0 ? nil : "\(count) \(words)"
        }
        let note = idle.isEmpty ? "" : " (\(idle.joined(separator: ", ")))"
        return count(definition.rules.count, "rule") + note + ", "
            + count(definition.schemas.count, "schema") + ", " + count(warnings.count, "warning")
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
