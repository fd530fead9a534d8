import MartletBroker

extension MonitorEndpoint {
    static let subsz = MonitorEndpoint(
        path: "/subsz", otherPath: "/subscriptionsz", asksLoops: true,
        answer: .document { try await Subsz($0.broker, $1) })
}

/// `/subsz`: the subject tree in numbers, and the subscriptions when asked for.
struct Subsz: Encodable {
    struct Query {
        let listsSubscriptions: Bool
        let offset: Int
        let limit: Int
        let account: String
        let test: String

        init(_ parameters: MonitorQuery) throws(QueryFailure) {
            listsSubscriptions = try parameters.boolean("subs")
            offset = max(0, try parameters.integer("offset"))
            let limit = try parameters.integer("limit")
            self.limit = limit <= 0 ? ConnzQuery.limitDefault : limit
            account = parameters.value("acc")
            test = parameters.value("test")
            if !test.isEmpty, !SubjectPattern.isLiteral(test) {
                throw QueryFailure(
                    message: "invalid test subject, must be valid publish subject: \(test)")
            }
        }
    }

    let query: Query
    let serverID: String
    let now: UInt64
    let routing: RoutingSnapshot
    /// Of all connections; empty unless the query lists them.
    let subscriptions: [SubscriptionSnapshot]

    init(_ broker: Broker, _ parameters: MonitorQuery) async throws {
        query = try Query(parameters)
        if query.listsSubscriptions {
            let connections = await broker.connectionSnapshots(subscriptions: true, closed: false)
            subscriptions = connections.sorted { $0.id < $1.id }.flatMap(\.subscriptions)
        } else {
            subscriptions = []
        }
        let snapshot = broker.snapshot()
        serverID = snapshot.serverID
        now = snapshot.now
        routing = broker.routingSnapshot(
            ofAccount: query.account.isEmpty ? nil : query.account)
    }

    enum Key: String, CodingKey {
        case serverID = "server_id"
        case now, total, offset, limit
        case subscriptions = "num_subscriptions"
        case cache = "num_cache"
        case inserts = "num_inserts"
        case removes = "num_removes"
        case matches = "num_matches"
        case hitRate = "cache_hit_rate"
        case fanoutMax = "max_fanout"
        case fanoutAverage = "avg_fanout"
        case list = "subscriptions_list"
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        let matching = subscriptions.filter {
            (query.account.isEmpty || $0.account == query.account)
                && (query.test.isEmpty || SubjectPattern.overlaps($0.subject, query.test))
        }
        let matches = routing.matches
        let hitRate = matches > 0 ? Double(routing.cacheHits) / Double(matches) : 0
        try values.encode(serverID, forKey: .serverID)
        try values.encode(GoText.time(nanosecondsSince1970: now), forKey: .now)
        try values.encode(routing.subscriptions, forKey: .subscriptions)
        try values.encode(routing.cachedRoutes, forKey: .cache)
        try values.encode(routing.inserts, forKey: .inserts)
        try values.encode(routing.removes, forKey: .removes)
        try values.encode(matches, forKey: .matches)
        try values.encode(hitRate, forKey: .hitRate)
        try values.encode(routing.fanoutMax, forKey: .fanoutMax)
        try values.encode(routing.fanoutAverage, forKey: .fanoutAverage)
        try values.encode(matching.count, forKey: .total)
        try values.encode(query.offset, forKey: .offset)
        try values.encode(query.limit, forKey: .limit)
        if query.listsSubscriptions, !matching.isEmpty {
            let page = matching.dropFirst(query.offset).prefix(query.limit)
            let list = page.map { SubscriptionDetail($0, showsAccount: true) }
            try values.encode(list, forKey: .list)
        }
    }
}
