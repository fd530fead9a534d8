/// All keys of a configuration file, block by block; `Keys/` has them, a topic a file.
enum ConfigurationTable {
    typealias Key = ConfigurationKey

    static let topLevel = ConfigurationBlock<BrokerConfiguration>(
        "", "Keys that stand in no block.",
        addresses, identity, limits, access, accountNames, logs,
        [
            Key("martlet", takes: "a block", "What nats-server does not know.") {
                (entry, root, reader) throws(ConfigurationComplaint) in
                reader.read(try entry.value.map(entry.name), martlet, into: &root)
            }
        ],
        ruleSet, unsupported)

    /// The blocks whose keys a reload compares and flags set.
    static let ofConfiguration = [topLevel, authorization, martlet, slowConsumers]
}
