import MartletBroker

extension MonitorEndpoint {
    static let connz = MonitorEndpoint(
        path: "/connz", asksLoops: true,
        answer: .document { try await Connz($0.broker, ConnzQuery($1)) })
}

/// `/connz`: the connections, a page of them.
struct Connz: Encodable {
    let serverID: String
    let now: String
    let connectionCount: Int
    let total: Int
    let offset: Int
    let limit: Int
    let connections: [Connection]

    enum CodingKeys: String, CodingKey {
        case serverID = "server_id"
        case now
        case connectionCount = "num_connections"
        case total, offset, limit
        case connections
    }

    init(_ broker: Broker, _ query: ConnzQuery) async {
        let page = await query.isOfAllByID ? Self.pageByID(broker, query) : Self.page(broker, query)
        let snapshot = broker.snapshot()
        self.init(query, serverID: snapshot.serverID, now: snapshot.now, page)
    }

    /// The connections on the page alone are looked at.
    private static func pageByID(_ broker: Broker, _ query: ConnzQuery) async -> Page {
        guard query.connectionID == 0 else {
            let found = await broker.openConnections(
                [query.connectionID], subscriptions: query.needsSubscriptions)
            return Page(
                total: broker.snapshot().connections, connections: found.dropFirst(query.offset))
        }
        let (total, connections) = await broker.openConnections(
            offset: query.offset, limit: query.limit, subscriptions: query.needsSubscriptions)
        return Page(total: total, connections: connections)
    }

    /// Every connection is looked at for the page, but the subscriptions of those on it alone, unless others
    /// are chosen by theirs.
    private static func page(_ broker: Broker, _ query: ConnzQuery) async -> Page {
        let isChosenBySubscriptions = !query.subjectFilter.isEmpty
        var candidates: [ConnectionSnapshot] = []
        if query.state != .closed {
            candidates += await broker.connectionSnapshots(
                subscriptions: isChosenBySubscriptions, closed: false)
        }
        if query.state != .open {
            candidates += await broker.connectionSnapshots(
                subscriptions: query.needsSubscriptions, closed: true)
        }
        var page = Page(query, now: broker.snapshot().now, candidates: candidates)
        if query.needsSubscriptions, !isChosenBySubscriptions {
            let open = page.connections.filter { $0.stoppedAt == nil }.map(\.id)
            page.takeSubscriptions(
                of: await broker.openConnections(Set(open), subscriptions: true))
        }
        return page
    }

    /// - Parameter candidates: the connections of the state that was asked for.
    init(_ query: ConnzQuery, serverID: String, now: UInt64, candidates: [ConnectionSnapshot]) {
        self.init(
            query, serverID: serverID, now: now, Page(query, now: now, candidates: candidates))
    }

    private init(_ query: ConnzQuery, serverID: String, now: UInt64, _ page: Page) {
        self.serverID = serverID
        self.now = GoText.time(nanosecondsSince1970: now)
        total = page.total
        offset = query.offset
        limit = query.limit
        connections = page.connections.map { Connection($0, query: query, now: now) }
        connectionCount = connections.count
    }

    /// The connections that an answer shows, and how many there are.
    private struct Page {
        let total: Int
        var connections: [ConnectionSnapshot]

        init(total: Int, connections: some Collection<ConnectionSnapshot>) {
            self.total = total
            self.connections = Array(connections)
        }

        init(_ query: ConnzQuery, now: UInt64, candidates: [ConnectionSnapshot]) {
            let ofAccount = candidates.filter {
                query.account.isEmpty || $0.account == query.account
            }
            total = ofAccount.count
            let matching = ofAccount.filter { Connz.matches($0, query) }
            connections = Array(
                Connz.sorted(matching, by: query.order, now: now)
                    .dropFirst(query.offset).prefix(query.limit))
        }

        mutating func takeSubscriptions(of others: [ConnectionSnapshot]) {
            let subscriptions = Dictionary(
                others.map { ($0.id, $0.subscriptions) }, uniquingKeysWith: { $1 })
            for i in connections.indices {
                guard let found = subscriptions[connections[i].id] else { continue }
                connections[i].subscriptions = found
            }
        }
    }

    fileprivate static func matches(_ connection: ConnectionSnapshot, _ query: ConnzQuery) -> Bool {
        if query.connectionID > 0 { return connection.id == query.connectionID }
        if !query.user.isEmpty, connection.authorizedUser != query.user { return false }
        guard !query.subjectFilter.isEmpty else { return true }
        return connection.subscriptions.contains {
            SubjectPattern.overlaps($0.subject, query.subjectFilter)
        }
    }

    /// The id and the uptime count up, everything else starts with the largest.
    fileprivate static func sorted(
        _ list: [ConnectionSnapshot], by order: ConnzQuery.Order, now: UInt64
    ) -> [ConnectionSnapshot] {
        func descending<Value: Comparable>(
            _ value: (ConnectionSnapshot) -> Value
        ) -> [ConnectionSnapshot] {
            list.map { ($0, value($0)) }
                .sorted { $0.1 == $1.1 ? $0.0.id < $1.0.id : $0.1 > $1.1 }
                .map(\.0)
        }
        switch order {
        case .id, .start: return list.sorted { $0.id < $1.id }
        case .subscriptions: return descending(\.subscriptionCount)
        case .pending: return descending(\.pendingBytes)
        case .messagesTo: return descending(\.messagesOut)
        case .messagesFrom: return descending(\.messagesIn)
        case .bytesTo: return descending(\.bytesOut)
        case .bytesFrom: return descending(\.bytesIn)
        case .last: return descending(\.lastActivityAt)
        case .idle: return descending { now.saturatingDifference($0.lastActivityAt) }
        case .uptime:
            return list.sorted {
                Connection.uptime($0, now: now) < Connection.uptime($1, now: now)
            }
        case .stop: return descending { $0.stoppedAt ?? 0 }
        case .reason: return list.sorted { ($0.closeReason ?? "") < ($1.closeReason ?? "") }
        case .roundTrip: return descending(\.roundTripNanoseconds)
        }
    }
}
