/// Keys of nats-server for what this version does not do.
///
/// They are errors: nobody shall believe that TLS or permissions are in force when they are not.
/// Only a value that asks for what happens anyhow is taken.
extension ConfigurationReader {
    private static let unsupported: Set<String> = [
        "cluster", "connect_error_reports", "default_js_domain", "default_sentinel",
        "feature_flags", "gateway", "https", "leaf", "leafnodes", "mappings", "maps", "mqtt",
        "proxies", "reconnect_error_reports", "store_dir", "storedir", "tls", "trusted",
        "trusted_keys", "websocket", "ws",
        "operator", "operators", "root", "roots", "root_operator", "root_operators",
        "account_resolver", "accounts_resolver", "resolver", "resolver_pinned_accounts",
        "resolver_preload", "resolver_tls",
    ]

    /// Switches of which one position describes this broker.
    private static let switches: [String: Bool] = [
        "allow_non_tls": true,
        "disable_sublist_cache": false, "no_sublist_cache": false,
        "no_fast_producer_stall": true,
        "ocsp": false, "ocsp_cache": false,
        "proxy_protocol": false,
        "trace_headers": false,
    ]

    mutating func readUnsupported(
        _ key: String, _ value: ConfigurationValue
    ) throws(ConfigurationComplaint) -> Bool {
        if let position = Self.switches[key] {
            try value.refuse(key, unless: position)
            return true
        }
        switch key {
        case "jetstream":
            if case .string(let text) = value.content,
                ["disable", "disabled"].contains(text.lowercased())
            {
                return true
            }
            try value.refuse(key, unless: false)
        case "https_port", "prof_port", "prof_block_rate":
            guard case .integer(0) = value.content else { throw value.unsupported(key) }
        case "write_timeout":
            // Clients are closed in both; "retry" is for links to other servers.
            let text = try value.string(key)
            guard ["default", "close"].contains(text) else { throw value.unsupported(key) }
        default:
            guard Self.unsupported.contains(key) else { return false }
            throw value.unsupported(key)
        }
        return true
    }
}

extension ConfigurationValue {
    func unsupported(_ key: String) -> ConfigurationComplaint {
        complaint("this version of Martlet does not support \"\(key)\"")
    }

    /// Takes a switch only in the position that describes what happens anyhow.
    func refuse(_ key: String, unless position: Bool) throws(ConfigurationComplaint) {
        if case .boolean(position) = content { return }
        if case .boolean(let flag) = content {
            throw complaint("this version of Martlet does not support \"\(key): \(flag)\"")
        }
        throw unsupported(key)
    }
}
