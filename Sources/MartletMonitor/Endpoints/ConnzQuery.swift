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

    init(_ request: HTTPRequest) throws(QueryFailure) {
        showsAuth = try request.boolean("auth")
        showsSubscriptionDetail = request.value("subs").lowercased() == "detail"
        showsSubscriptions = showsSubscriptionDetail ? false : try request.boolean("subs")
        offset = max(0, try request.integer("offset"))
        let limit = try request.integer("limit")
        connectionID = try request.unsigned("cid")
        state = try Self.state(request.value("state"))
        user = request.value("user")
        account = request.value("acc")
        let filter = request.value("filter_subject")
        subjectFilter = filter == ">" ? "" : filter
        order = try Self.order(request.value("sort"))
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
