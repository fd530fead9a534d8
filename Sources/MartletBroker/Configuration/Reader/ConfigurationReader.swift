/// Reads blocks of a parsed file by their tables, and gathers everything that is wrong with it.
///
/// All errors are reported at once, as nats-server does: fixing a file one error at a time is slow.
struct ConfigurationReader {
    var hasReadRules = false
    /// Whether all of the rules could be read: what is only half read would be called wrong for what it lacks.
    var compilesRules = false
    var accounts = ConfiguredAccounts()
    private(set) var errors: [String] = []
    private(set) var warnings: [String] = []

    /// Reads a whole file.
    mutating func read(
        _ root: ConfigurationMap, path: String, into configuration: inout BrokerConfiguration
    ) {
        if root.entries.isEmpty {
            warnings.append("\(path): config has no values or is empty")
        }
        read(root, ConfigurationTable.topLevel, into: &configuration)
        joinAccounts(into: &configuration)
        compileRules(of: &configuration)
    }

    mutating func read<Root>(
        _ map: ConfigurationMap, _ block: ConfigurationBlock<Root>, into root: inout Root
    ) {
        read(map.entries, block, into: &root)
    }

    mutating func read<Root>(
        _ entries: [ConfigurationMap.Entry], _ block: ConfigurationBlock<Root>,
        into root: inout Root
    ) {
        for entry in entries {
            do throws(ConfigurationComplaint) {
                try read(entry, block, into: &root)
            } catch {
                record(error)
            }
        }
    }

    private mutating func read<Root>(
        _ entry: ConfigurationMap.Entry, _ block: ConfigurationBlock<Root>, into root: inout Root
    ) throws(ConfigurationComplaint) {
        if block.refusesRepetition, entry.isRepeated { throw entry.repetition }
        if let key = block[entry.name] { return try key.read(entry, &root, &self) }
        // What a variable refers to may have a name of its own.
        if try !block.readOther(entry, &root, &self), !entry.isVariable {
            throw entry.value.complaint("unknown field \"\(entry.key)\"")
        }
    }

    mutating func record(_ complaint: ConfigurationComplaint) { errors.append(complaint.text) }

    /// Takes what a compiler found, each text with its place.
    mutating func add(errors: [String], warnings: [String]) {
        self.errors += errors
        self.warnings += warnings
    }

    mutating func warn(_ entry: ConfigurationMap.Entry, _ reason: String) {
        warnings.append(
            "\(entry.value.position): invalid use of field \"\(entry.key)\": \(reason)")
    }
}

/// What is wrong with one value: file, line, column and the reason.
struct ConfigurationComplaint: Error {
    let text: String
}

extension ConfigurationMap.Entry {
    var repetition: ConfigurationComplaint {
        value.complaint("\"\(key)\" is given more than once")
    }
}
