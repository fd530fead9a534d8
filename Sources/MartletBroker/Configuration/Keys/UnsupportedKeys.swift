/// Keys of nats-server for what this version does not do.
///
/// They are errors: nobody shall believe that TLS or permissions are in force when they are not.
/// Only a value that asks for what happens anyhow is taken.
extension ConfigurationTable {
    static let unsupported: [Key<BrokerConfiguration>] = [
        .unsupported("tls", summary: "Encrypted connections."),
        .unsupported("https", summary: "Monitoring over HTTPS."),
        .unsupported("websocket", "ws", summary: "Clients over WebSocket."),
        .unsupported("mqtt", summary: "Clients that speak MQTT."),
        .unsupported("leafnodes", "leaf", summary: "Leaf nodes."),
        .unsupported("cluster", summary: "Servers that form a cluster."),
        .unsupported("gateway", summary: "Clusters that form a supercluster."),
        .unsupported("mappings", "maps", summary: "Subjects that become others."),
        .unsupported("store_dir", "storedir", summary: "Where streams are kept."),
        .unsupported("default_js_domain", summary: "The domain of streams by account."),
        .unsupported("default_sentinel", summary: "Credentials of clients without any."),
        .unsupported(
            "operator", "operators", "root", "roots", "root_operator", "root_operators",
            summary: "Accounts by signed documents."),
        .unsupported("trusted_keys", "trusted", summary: "Keys of operators."),
        .unsupported(
            "resolver", "account_resolver", "accounts_resolver", "resolver_pinned_accounts",
            "resolver_preload", "resolver_tls", summary: "Where signed accounts are looked up."),
        .unsupported("proxies", summary: "Proxies that are trusted."),
        .unsupported("feature_flags", summary: "Features that are being tried."),
        .unsupported(
            "connect_error_reports", "reconnect_error_reports",
            summary: "How often failed links to other servers are logged."),
        Key("jetstream", takes: "false, or disabled", reload: .unsupported, "Durable streams.") {
            (entry, _, _) throws(ConfigurationComplaint) in
            if case .string(let text) = entry.value.content,
                ["disable", "disabled"].contains(text.lowercased())
            {
                return
            }
            try entry.refuse(unless: false)
        },
        .fixed("allow_non_tls", at: true, "Whether clients need no TLS."),
        .fixed(
            "disable_sublist_cache", "no_sublist_cache", at: false,
            "Whether routes are found anew for each message."),
        .fixed(
            "no_fast_producer_stall", at: true,
            "Whether publishers are not held back by slow subscribers."),
        .fixed("ocsp", at: false, "Revocation of certificates."),
        .fixed("ocsp_cache", at: false, "What is remembered of revoked certificates."),
        .fixed("proxy_protocol", at: false, "Client addresses from a proxy in front."),
        .fixed("trace_headers", at: false, "Traces of headers alone."),
        .zero("https_port", "The port of monitoring over HTTPS."),
        .zero("prof_port", "The port of Go's profiler."),
        .zero("prof_block_rate", "How often Go's profiler looks at locks."),
    ]
}

extension ConfigurationKey {
    /// A key for what this version does not do, whatever its value.
    static func unsupported(_ names: String..., summary: String) -> ConfigurationKey {
        ConfigurationKey(names: names, takes: "nothing", reload: .unsupported, summary) {
            (entry, _, _) throws(ConfigurationComplaint) in throw entry.unsupported
        }
    }

    /// A switch of which one position describes this broker.
    static func fixed(
        _ names: String..., at position: Bool, _ summary: String
    ) -> ConfigurationKey {
        ConfigurationKey(names: names, takes: "\(position)", reload: .unsupported, summary) {
            (entry, _, _) throws(ConfigurationComplaint) in try entry.refuse(unless: position)
        }
    }

    /// A number that switches something on.
    fileprivate static func zero(_ name: String, _ summary: String) -> ConfigurationKey {
        ConfigurationKey(names: [name], takes: "0", reload: .unsupported, summary) {
            (entry, _, _) throws(ConfigurationComplaint) in
            guard case .integer(0) = entry.value.content else { throw entry.unsupported }
        }
    }
}

extension ConfigurationMap.Entry {
    var unsupported: ConfigurationComplaint {
        value.complaint("this version of Martlet does not support \"\(name)\"")
    }

    /// Takes a switch only in the position that describes what happens anyhow.
    fileprivate func refuse(unless position: Bool) throws(ConfigurationComplaint) {
        if case .boolean(position) = value.content { return }
        if case .boolean(let flag) = value.content {
            throw value.complaint("this version of Martlet does not support \"\(name): \(flag)\"")
        }
        throw unsupported
    }
}
