/// What `/connz?…` asks for.
struct ConnzQuery {
    enum State: String {
        case open, closed, any
    }

    enum Order: String {
        case id = "cid"
        case start
        case subscriptions = "subs"
        case pending
        case messagesTo = "msgs_to"
        case messagesFrom = "msgs_from"
        case bytesTo = "bytes_to"
        case bytesFrom = "bytes_from"
        case last, idle, uptime, stop, reason
        case roundTrip = "rtt"
    }

    static let limitDefault = 1_024

    let order: Order
    let showsAuth: Bool
    let showsSubscriptions: Bool
    let showsSubscriptionDetail: Bool
    let offset: Int
    let limit: Int
    let connectionID: UInt64
    let state: State
    let user: String
    let account: String
    let subjectFilter: String

    /// Whether the subscriptions of each connection are needed at all.
    var needsSubscriptions: Bool {
        showsSubscriptions || showsSubscriptionDetail || !subjectFilter.isEmpty
    }

    /// Whether it is a page, or one, of all open connections in the order of their ids.
    var isOfAllByID: Bool {
        state == .open && (order == .id || order == .start) && account.isEmpty && user.isEmpty
            && subjectFilter.isEmpty
    }

    init(_ parameters: MonitorQuery) throws(QueryFailure) {
        showsAuth = try parameters.boolean("auth")
        showsSubscriptionDetail = parameters.value("subs").lowercased() == "detail"
        showsSubscriptions = showsSubscriptionDetail ? false : try parameters.boolean("subs")
        offset = max(0, try parameters.integer("offset"))
        let limit = try parameters.integer("limit")
        connectionID = try parameters.unsigned("cid")
        state = try Self.state(parameters.value("state"))
        user = parameters.value("user")
        account = parameters.value("acc")
        let filter = parameters.value("filter_subject")
        subjectFilter = filter == ">" ? "" : filter
        order = try Self.order(parameters.value("sort"))
        if order == .stop || order == .reason, state != .closed {
            throw QueryFailure(message: "sort by \(order) only valid on closed connections")
        }
        // A single connection is a page of one, whatever else was asked for.
        self.limit = connectionID > 0 ? 1 : limit <= 0 ? Self.limitDefault : limit
    }

    private static func state(_ text: String) throws(QueryFailure) -> State {
        switch text.lowercased() {
        case "", "open": return .open
        case "closed": return .closed
        case "any", "all": return .any
        default: throw QueryFailure(message: "Error decoding state for \(text)")
        }
    }

    private static func order(_ text: String) throws(QueryFailure) -> Order {
        guard let order = text.isEmpty ? .id : Order(rawValue: text) else {
            throw QueryFailure(message: "invalid sorting option: \(text)")
        }
        return order
    }
}
