import MartletBroker

/// `/subsz`: the subject tree in numbers, and the subscriptions when asked for.
struct Subsz: Encodable {
    struct Query {
        let listsSubscriptions: Bool
        let offset: Int
        let limit: Int
        let account: String
        let test: String

        init(_ request: HTTPRequest) throws(QueryFailure) {
            listsSubscriptions = try request.boolean("subs")
            offset = max(0, try request.integer("offset"))
            let limit = try request.integer("limit")
            self.limit = limit <= 0 ? ConnzQuery.limitDefault : limit
            account = request.value("acc")
            test = request.value("test")
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
