import MartletBroker

extension MonitorEndpoint {
    static let varz = MonitorEndpoint(
        path: "/varz", answer: .document { monitor, _ in monitor.varz() })
}

/// `/varz`: the server in numbers.
struct Varz: Encodable {
    private struct Empty: Encodable {}

    private struct KindCounts: Encodable {
        var clients = 0
        var routes = 0
        var gateways = 0
        var leafs = 0
    }

    /// The whole process was stopped, or its machine.
    private struct Standstill: Encodable {
        let count: Int
        let longestNanoseconds: UInt64
        let totalNanoseconds: UInt64
        let last: String

        init(_ standstills: Standstills) {
            count = standstills.count
            longestNanoseconds = standstills.longestNanoseconds
            totalNanoseconds = standstills.totalNanoseconds
            last = GoText.time(nanosecondsSince1970: standstills.lastAt)
        }

        enum CodingKeys: String, CodingKey {
            case count, last
            case longestNanoseconds = "longest_ns"
            case totalNanoseconds = "total_ns"
        }
    }

    /// What nats-server has no name for.
    private struct Own: Encodable {
        let version: String
        let loops: Int
        let longestTurnNanoseconds: UInt64
        let longestTurnOf10Seconds: UInt64
        let longestTurnOfMinute: UInt64
        let stalls: Int
        let busyNanoseconds: Int
        let standstills: Standstill
        let turns: [Int]
        let turnClock: String
        let allocations: Int
        let lastAllocation: String
        let droppedMessages: Int
        let pausedPublishers: Int
        let paused: [String: Int]
        let memoryBytes: Int
        let memoryBytesMax: Int
        let isLameDuck: Bool

        init(_ snapshot: BrokerSnapshot, _ configuration: BrokerConfiguration) {
            turnClock = configuration.tuning.turnClock.rawValue
            version = snapshot.martletVersion
            loops = snapshot.loopCount
            longestTurnNanoseconds = snapshot.longestTurnNanoseconds
            longestTurnOf10Seconds = snapshot.longestTurnOf10Seconds
            longestTurnOfMinute = snapshot.longestTurnOfMinute
            stalls = snapshot.stalls
            busyNanoseconds = snapshot.busyNanoseconds
            standstills = Standstill(snapshot.standstills)
            turns = snapshot.turns.counts
            allocations = snapshot.allocations
            lastAllocation = GoText.time(nanosecondsSince1970: snapshot.lastAllocationAt)
            droppedMessages = snapshot.droppedMessages
            pausedPublishers = snapshot.pausedPublishers
            paused = Dictionary(
                uniqueKeysWithValues: PauseReason.allCases.map {
                    ($0.rawValue, snapshot.pausedConnections[$0] ?? 0)
                })
            memoryBytes = snapshot.memoryBytes
            memoryBytesMax = snapshot.memoryBytesMax
            isLameDuck = snapshot.isLameDuck
        }

        enum CodingKeys: String, CodingKey {
            case version, loops, stalls, allocations, paused, standstills
            case turns = "turns_by_log2_us"
            case turnClock = "turn_clock"
            case lastAllocation = "last_allocation"
            case longestTurnNanoseconds = "longest_turn_ns"
            case longestTurnOf10Seconds = "longest_turn_10s_ns"
            case longestTurnOfMinute = "longest_turn_1m_ns"
            case busyNanoseconds = "busy_ns"
            case droppedMessages = "dropped_messages"
            case pausedPublishers = "paused_publishers"
            case memoryBytes = "memory_bytes"
            case memoryBytesMax = "max_memory"
            case isLameDuck = "lame_duck"
        }
    }

    let snapshot: BrokerSnapshot
    let configuration: BrokerConfiguration
    let httpPort: Int
    let requestCounts: [String: Int]
    let configurationLoadedAt: UInt64
    let processorPercent: Double

    enum Key: String, CodingKey {
        case serverID = "server_id"
        case serverName = "server_name"
        case version, proto, host, port
        case authRequired = "auth_required"
        case maxConnections = "max_connections"
        case maxSubscriptions = "max_subscriptions"
        case pingInterval = "ping_interval"
        case pingMax = "ping_max"
        case httpHost = "http_host"
        case httpPort = "http_port"
        case httpBasePath = "http_base_path"
        case httpsPort = "https_port"
        case authTimeout = "auth_timeout"
        case maxControlLine = "max_control_line"
        case maxPayload = "max_payload"
        case maxPending = "max_pending"
        case cluster, gateway, leaf, mqtt, websocket, jetstream
        case tlsTimeout = "tls_timeout"
        case writeDeadline = "write_deadline"
        case start, now, uptime, mem, cores, gomaxprocs, cpu
        case connections
        case totalConnections = "total_connections"
        case routes, remotes, leafnodes
        case inMsgs = "in_msgs"
        case inBytes = "in_bytes"
        case inClientMsgs = "in_client_msgs"
        case inClientBytes = "in_client_bytes"
        case outMsgs = "out_msgs"
        case outBytes = "out_bytes"
        case outClientMsgs = "out_client_msgs"
        case outClientBytes = "out_client_bytes"
        case slowConsumers = "slow_consumers"
        case staleConnections = "stale_connections"
        case stalledClients = "stalled_clients"
        case subscriptions
        case httpReqStats = "http_req_stats"
        case configLoadTime = "config_load_time"
        case configDigest = "config_digest"
        case tags, metadata
        case systemAccount = "system_account"
        case slowConsumerStats = "slow_consumer_stats"
        case staleConnectionStats = "stale_connection_stats"
        case martlet
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try encodeIdentity(&values)
        try encodeLimits(&values)
        try encodeProcess(&values)
        try encodeTraffic(&values)
        for key in [Key.cluster, .gateway, .leaf, .mqtt, .websocket, .jetstream] {
            try values.encode(Empty(), forKey: key)
        }
        try values.encode(Own(snapshot, configuration), forKey: .martlet)
    }

    private func encodeIdentity(_ values: inout KeyedEncodingContainer<Key>) throws {
        try values.encode(snapshot.serverID, forKey: .serverID)
        try values.encode(snapshot.serverName, forKey: .serverName)
        try values.encode(snapshot.version, forKey: .version)
        try values.encode(1, forKey: .proto)
        try values.encode(configuration.host, forKey: .host)
        try values.encode(snapshot.clientPort, forKey: .port)
        try values.encode(configuration.monitoring.host ?? configuration.host, forKey: .httpHost)
        try values.encode(httpPort, forKey: .httpPort)
        try values.encode(configuration.monitoring.basePath, forKey: .httpBasePath)
        try values.encode(0, forKey: .httpsPort)
        try values.encode(configuration.configurationDigest ?? "", forKey: .configDigest)
        let loaded = GoText.time(nanosecondsSince1970: configurationLoadedAt)
        try values.encode(loaded, forKey: .configLoadTime)
        try values.encodeIfPresent(configuration.systemAccountName, forKey: .systemAccount)
        if !configuration.serverTags.isEmpty {
            try values.encode(configuration.serverTags, forKey: .tags)
        }
        if !configuration.serverMetadata.isEmpty {
            try values.encode(configuration.serverMetadata, forKey: .metadata)
        }
    }

    private func encodeLimits(_ values: inout KeyedEncodingContainer<Key>) throws {
        if configuration.authorization.isRequired {
            try values.encode(true, forKey: .authRequired)
        }
        let seconds = Double(configuration.authorization.timeoutNanoseconds) / 1e9
        try values.encode(seconds, forKey: .authTimeout)
        try values.encode(configuration.limits.connectionsMax, forKey: .maxConnections)
        if configuration.limits.subscriptionsMax > 0 {
            try values.encode(configuration.limits.subscriptionsMax, forKey: .maxSubscriptions)
        }
        try values.encode(configuration.keepalive.pingIntervalNanoseconds, forKey: .pingInterval)
        try values.encode(configuration.keepalive.pingsOutstandingMax, forKey: .pingMax)
        try values.encode(configuration.limits.controlLineBytesMax, forKey: .maxControlLine)
        try values.encode(configuration.limits.payloadBytesMax, forKey: .maxPayload)
        try values.encode(configuration.limits.pendingBytesMax, forKey: .maxPending)
        try values.encode(configuration.limits.writeDeadlineNanoseconds, forKey: .writeDeadline)
        try values.encode(0, forKey: .tlsTimeout)
    }

    private func encodeProcess(_ values: inout KeyedEncodingContainer<Key>) throws {
        let uptime = snapshot.now.saturatingDifference(snapshot.startedAt)
        try values.encode(GoText.time(nanosecondsSince1970: snapshot.startedAt), forKey: .start)
        try values.encode(GoText.time(nanosecondsSince1970: snapshot.now), forKey: .now)
        try values.encode(GoText.uptime(nanoseconds: uptime), forKey: .uptime)
        try values.encode(ProcessUsage.residentBytes, forKey: .mem)
        try values.encode(CoreCount.allowed, forKey: .cores)
        try values.encode(snapshot.loopCount, forKey: .gomaxprocs)
        try values.encode(processorPercent, forKey: .cpu)
        try values.encode(requestCounts, forKey: .httpReqStats)
    }

    private func encodeTraffic(_ values: inout KeyedEncodingContainer<Key>) throws {
        let slow = snapshot.slowConsumersByBytes + snapshot.slowConsumersByDeadline
        let numbers: [(Key, Int)] = [
            (.connections, snapshot.connections), (.totalConnections, snapshot.totalConnections),
            (.routes, 0), (.remotes, 0), (.leafnodes, 0),
            (.inMsgs, snapshot.messagesIn), (.inBytes, snapshot.bytesIn),
            (.inClientMsgs, snapshot.messagesIn), (.inClientBytes, snapshot.bytesIn),
            (.outMsgs, snapshot.messagesOut), (.outBytes, snapshot.bytesOut),
            (.outClientMsgs, snapshot.messagesOut), (.outClientBytes, snapshot.bytesOut),
            (.slowConsumers, slow), (.staleConnections, snapshot.staleConnections),
            (.stalledClients, snapshot.pausedPublishers), (.subscriptions, snapshot.subscriptions),
        ]
        for (key, number) in numbers { try values.encode(number, forKey: key) }
        try values.encode(KindCounts(clients: slow), forKey: .slowConsumerStats)
        let stale = KindCounts(clients: snapshot.staleConnections)
        try values.encode(stale, forKey: .staleConnectionStats)
    }
}

extension UInt64 {
    /// Clocks that were read one after the other may be a step apart the wrong way.
    func saturatingDifference(_ earlier: UInt64) -> UInt64 { self > earlier ? self - earlier : 0 }
}
