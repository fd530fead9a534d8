/// docs/CONFIGURATION.md, made from the tables.
enum ConfigurationReference {
    static var markdown: String {
        ([introduction]
            + [
                section(ConfigurationTable.topLevel, "Top level"),
                section(ConfigurationTable.authorization),
                section(ConfigurationTable.user),
                section(ConfigurationTable.account),
                section(ConfigurationTable.martlet),
                section(ConfigurationTable.slowConsumers),
                section(ConfigurationTable.slowConsumerRule),
                section(ConfigurationTable.rules),
                section(ConfigurationTable.rule),
                section(ConfigurationTable.validation),
                section(ConfigurationTable.destination),
                section(ConfigurationTable.reply),
                section(ConfigurationTable.invalid),
                unsupportedSection,
            ]).joined(separator: "\n\n") + "\n"
    }

    private static let introduction = """
        # Configuration

        `martlet -c FILE` reads nats-server's configuration grammar: `key: value`, blocks in braces, `include`,
        variables, sizes such as `1MB` (1,048,576) and `1M` (1,000,000), times such as `"1m30s"`. Keys may be
        written in any case. A key that is not here is an error, and all errors of a file are told at once,
        after these all that is wrong with the keys together.
        Flags win over the file. This page is made from the broker's own tables:
        `MARTLET_WRITE_REFERENCE=1 swift test --filter ConfigurationReference` writes it.

        **Reload** says what a reload (`martlet --signal reload`) does with a key that has changed: it is taken, or
        it needs a restart, and then nothing of the file is taken. Where nothing is said, the key belongs to
        something larger that is taken or not as a whole.
        """

    // MARK: Sections

    private static func section<Root>(
        _ block: ConfigurationBlock<Root>, _ title: String? = nil
    ) -> String {
        let facts = block.keys.map(\.facts).filter { $0.reload != .unsupported }
        let rows = facts.map { key in
            row([
                codes(key.names), key.takes, key.defaultText, reload(key), flags(key.flags),
                key.summary,
            ])
        }
        let heading = title ?? "`\(block.path)`"
        return "## \(heading)\n\n\(block.summary)\n\n"
            + row(["key", "takes", "default", "reload", "flags", "what it is"]) + "\n"
            + "|---|---|---|---|---|---|\n" + rows.joined(separator: "\n")
    }

    private static var unsupportedSection: String {
        let rows =
            rows(ConfigurationTable.topLevel) + rows(ConfigurationTable.authorization)
            + rows(ConfigurationTable.user) + rows(ConfigurationTable.account)
        return """
            ## What this version does not have

            Keys of nats-server. They are errors, except with a value that asks for what happens anyhow.

            \(row(["block", "key", "takes", "what it is"]))
            |---|---|---|---|
            \(rows.joined(separator: "\n"))
            """
    }

    private static func rows<Root>(_ block: ConfigurationBlock<Root>) -> [String] {
        block.keys.map(\.facts).filter { $0.reload == .unsupported }.map { key in
            row([
                block.path.isEmpty ? "" : "`\(block.path)`", codes(key.names), key.takes,
                key.summary,
            ])
        }
    }

    // MARK: Cells

    private static func row(_ cells: [String]) -> String {
        "| " + cells.joined(separator: " | ") + " |"
    }

    private static func codes(_ names: [String]) -> String {
        names.map { "`\($0)`" }.joined(separator: ", ")
    }

    /// Two dashes, but for one letter and for capitals, as everybody writes them.
    private static func flags(_ names: [String]) -> String {
        codes(
            names.map { name in
                name.count == 1 || name == name.uppercased() ? "-\(name)" : "--\(name)"
            })
    }

    private static func reload(_ key: ConfigurationKeyFacts) -> String {
        switch key.reload {
        case .taken, .takenAs, .takenUnseenAs: "taken"
        case .refusedAs: "restart"
        case .partOfOthers, .unsupported: ""
        }
    }
}
