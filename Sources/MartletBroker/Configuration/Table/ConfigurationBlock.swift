/// The keys of one block of a configuration file.
struct ConfigurationBlock<Root: ConfigurationRoot>: Sendable {
    /// How documents name it: `martlet.slow_consumers`; empty for the top level.
    let path: String
    /// One sentence for documents.
    let summary: String
    let keys: [ConfigurationKey<Root>]
    /// In which a key that is there twice would lose something without a word.
    let refusesRepetition: Bool
    /// Reads what is no key: the name of a rule, of an account. False for what it does not know either.
    let readOther:
        @Sendable (ConfigurationMap.Entry, inout Root, inout ConfigurationReader)
            throws(ConfigurationComplaint) -> Bool
    private let indices: [String: Int]

    init(
        _ path: String, _ summary: String, refusesRepetition: Bool = false,
        readOther:
            @escaping @Sendable (
                ConfigurationMap.Entry, inout Root, inout ConfigurationReader
            ) throws(ConfigurationComplaint) -> Bool = { (_, _, _) throws(ConfigurationComplaint) in
                false
            },
        _ keys: [ConfigurationKey<Root>]...
    ) {
        self.path = path
        self.summary = summary
        self.refusesRepetition = refusesRepetition
        self.readOther = readOther
        self.keys = keys.flatMap { $0 }
        var indices: [String: Int] = [:]
        for (index, key) in self.keys.enumerated() {
            for name in key.facts.names {
                precondition(indices[name] == nil, "two keys \"\(name)\" in one block")
                indices[name] = index
            }
        }
        self.indices = indices
    }

    /// By any of its names, in lower case.
    subscript(name: String) -> ConfigurationKey<Root>? { indices[name].map { keys[$0] } }

    /// As logs and errors name a key of this block.
    func name(of facts: ConfigurationKeyFacts) -> String {
        path.isEmpty ? facts.names[0] : "\(path).\(facts.names[0])"
    }
}
