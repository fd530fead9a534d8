/// What the server calls itself, and the files that tell others of it.
extension ConfigurationTable {
    static let identity: [Key<BrokerConfiguration>] = [
        Key(
            "server_name", sets: \.serverName, takes: .name, default: "the server's id",
            reload: .refusedAs("ServerName"), flags: ["n", "name", "server_name"],
            "The name of this server."),
        Key(
            "server_tags", sets: \.serverTags, takes: .tags, default: "none",
            reload: .takenUnseenAs("tags"),
            "Labels that /varz shows, in lower case."),
        Key(
            "server_metadata", sets: \.serverMetadata, takes: .pairs, default: "none",
            reload: .takenUnseenAs("metadata"),
            "Free pairs of a name and a text that /varz shows."),
        Key(
            "pid_file", "pidfile", sets: \.files.processID, takes: .text, default: "none",
            flags: ["P", "pid"],
            "A file that receives the process id."),
        Key(
            "ports_file_dir", sets: \.files.portsDirectory, takes: .text, default: "none",
            flags: ["ports_file_dir"],
            "A directory that receives `<executable>_<pid>.ports`, which says where the server listens."
        ),
    ]
}

extension ConfigurationForm<String?> {
    fileprivate static var name: ConfigurationForm {
        ConfigurationForm("a string without spaces", shown: { $0 ?? "" }) {
            (entry, _) throws(ConfigurationComplaint) in
            let name = try entry.value.optionalString(entry.name)
            guard name?.contains(" ") != true else {
                throw entry.value.complaint("server name cannot contain spaces")
            }
            return name
        }
    }
}

extension ConfigurationForm<[String]> {
    /// Lower case, without white space around them, each once.
    fileprivate static var tags: ConfigurationForm {
        ConfigurationForm(
            "a string or a list of strings", shown: { $0.joined(separator: ", ") }
        ) { (entry, _) throws(ConfigurationComplaint) in
            var tags: [String] = []
            for text in try entry.value.tagTexts() {
                let words = text.lowercased().drop { $0.isWhitespace }
                let tag = String(words.reversed().drop { $0.isWhitespace }.reversed())
                if !tag.isEmpty, !tags.contains(tag) { tags.append(tag) }
            }
            return tags
        }
    }
}

extension ConfigurationForm<[String: String]> {
    fileprivate static var pairs: ConfigurationForm {
        ConfigurationForm(
            "a map of strings", shown: { $0.keys.sorted().joined(separator: ", ") }
        ) { (entry, _) throws(ConfigurationComplaint) in
            guard case .map(let map) = entry.value.content else {
                throw entry.value.complaint(
                    "error parsing metadata: unsupported type \(entry.value.kind)")
            }
            var pairs: [String: String] = [:]
            for entry in map.entries { pairs[entry.key] = try entry.value.string(entry.key) }
            return pairs
        }
    }
}

extension ConfigurationValue {
    fileprivate func tagTexts() throws(ConfigurationComplaint) -> [String] {
        switch content {
        case .string(let text): return [text]
        case .array(let values):
            var texts: [String] = []
            for value in values {
                guard case .string(let text) = value.content else {
                    throw value.complaint(
                        "error parsing tags: unsupported type \(value.kind) where a string is "
                            + "expected")
                }
                texts.append(text)
            }
            return texts
        default: throw complaint("error parsing tags: unsupported type \(kind)")
        }
    }
}
