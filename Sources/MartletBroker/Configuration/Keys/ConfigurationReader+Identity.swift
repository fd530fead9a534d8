/// What the server calls itself, and the files that tell others of it.
extension ConfigurationReader {
    mutating func readIdentity(
        _ key: String, _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> Bool {
        switch key {
        case "server_name":
            let name = try value.optionalString(key)
            guard name?.contains(" ") != true else {
                throw value.complaint("server name cannot contain spaces")
            }
            configuration.serverName = name
        case "server_tags": configuration.serverTags = try tags(value)
        case "server_metadata": configuration.serverMetadata = try metadata(value)
        case "pidfile", "pid_file": configuration.pidFile = try value.optionalString(key)
        case "ports_file_dir": configuration.portsFileDirectory = try value.optionalString(key)
        case "no_header_support": configuration.disablesHeaders = try value.boolean(key)
        default: return false
        }
        return true
    }

    /// Lower case, without white space around them, each once.
    private func tags(_ value: ConfigurationValue) throws(ConfigurationComplaint) -> [String] {
        var texts: [String] = []
        switch value.content {
        case .string(let text): texts = [text]
        case .array(let values):
            for value in values {
                guard case .string(let text) = value.content else {
                    throw value.complaint(
                        "error parsing tags: unsupported type \(value.kind) where a string is "
                            + "expected")
                }
                texts.append(text)
            }
        default:
            throw value.complaint("error parsing tags: unsupported type \(value.kind)")
        }
        var tags: [String] = []
        for text in texts {
            let words = text.lowercased().drop { $0.isWhitespace }
            let tag = String(words.reversed().drop { $0.isWhitespace }.reversed())
            if !tag.isEmpty, !tags.contains(tag) { tags.append(tag) }
        }
        return tags
    }

    private func metadata(
        _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> [String: String] {
        guard case .map(let map) = value.content else {
            throw value.complaint("error parsing metadata: unsupported type \(value.kind)")
        }
        var pairs: [String: String] = [:]
        for entry in map.entries { pairs[entry.key] = try entry.value.string(entry.key) }
        return pairs
    }
}
