/// A loop's connections as monitoring sees them, some in each turn, so that nobody waits for all of them.
/// Connections and subscriptions that come or go meanwhile may be in it or not.
///
/// SAFETY: one thread at a time has it: who makes it, then the loop, then whoever `then` gives it to.
final class ConnectionListing: @unchecked Sendable {
    /// Looked at in one turn: connections that are passed over, and what is listed, which costs more.
    static let stepsPerTurn = 1_024
    static let stepsPerConnection = 8
    static let stepsPerSubscription = 4

    /// Which connections are wanted.
    enum Selection {
        case all
        case ids(Set<UInt64>)
        /// Those that are still there.
        case handles([SlabHandle])
    }

    let withSubscriptions: Bool
    fileprivate let selection: Selection
    fileprivate let then: @Sendable ([ConnectionSnapshot]) -> Void
    fileprivate var found: [ConnectionSnapshot] = []
    /// Slots, or handles of the selection, that were looked at.
    fileprivate var position = 0
    /// About what it takes, and twice while an array grows.
    fileprivate var byteCount = 0
    fileprivate static let bytesPerEntry = 512
    /// The last one found, while some of its subscriptions are missing.
    fileprivate var unfinished: (handle: SlabHandle, cursor: SubscriptionTable.Cursor)?

    init(
        withSubscriptions: Bool = false, of selection: Selection = .all,
        then: @escaping @Sendable ([ConnectionSnapshot]) -> Void
    ) {
        self.withSubscriptions = withSubscriptions
        self.selection = selection
        self.then = then
    }

    func finish() { then(found) }
}

extension BrokerLoop {
    /// Goes on with a listing, and leaves the rest to the next turn. Without memory for more it ends with what it
    /// has, and the log says so.
    func list(_ listing: ConnectionListing) {
        assert(thread.isCurrent)
        guard SystemMemory.hasRoom(for: listing.byteCount) else {
            recordLackOfMemory()
            return listing.finish()
        }
        var steps = ConnectionListing.stepsPerTurn
        if listing.unfinished != nil { listSubscriptions(listing, &steps) }
        let end = end(of: listing)
        while steps > 0, listing.position < end {
            let candidate = candidate(of: listing)
            listing.position += 1
            steps -= 1
            guard let connection = candidate else { continue }
            steps -= ConnectionListing.stepsPerConnection
            listing.found.append(
                snapshot(of: connection, withSubscriptions: false, reason: nil))
            guard listing.withSubscriptions else { continue }
            listing.unfinished = (connection.pointee.handle, .init())
            listSubscriptions(listing, &steps)
        }
        listing.byteCount +=
            ConnectionListing.bytesPerEntry
            * ((ConnectionListing.stepsPerTurn - steps) / ConnectionListing.stepsPerSubscription)
        let isOver = steps > 0 && listing.unfinished == nil
        if isOver || !mail.post(.describeConnections(listing)) { listing.finish() }
    }

    private func end(of listing: ConnectionListing) -> Int {
        if case .handles(let handles) = listing.selection { return handles.count }
        return state.pointee.connections.endIndex
    }

    /// Nil where there is none, or one that is not wanted.
    private func candidate(of listing: ConnectionListing) -> ConnectionRef? {
        if case .handles(let handles) = listing.selection {
            return connection(handles[listing.position])
        }
        let connection = state.pointee.connections[listing.position]
        guard connection.pointee.flags.intersection([.isTaken, .isArriving]) == .isTaken,
            connection.pointee.policy.isListed
        else { return nil }
        if case .ids(let ids) = listing.selection, !ids.contains(connection.pointee.id) {
            return nil
        }
        return connection
    }

    private func listSubscriptions(_ listing: ConnectionListing, _ steps: inout Int) {
        guard let unfinished = listing.unfinished else { return }
        let handle = unfinished.handle
        var cursor = unfinished.cursor
        listing.unfinished = nil
        guard let connection = connection(handle) else { return }
        let last = listing.found.count - 1
        let table = connection.pointee.subscriptions
        if table.isOutdated(cursor) {
            // It has grown, and all have other places.
            listing.found[last].subscriptions = []
            cursor = .init()
        }
        let account = listing.found[last].account
        while steps > 0, let record = table.next(&cursor, in: state.pointee.subscriptions) {
            steps -= ConnectionListing.stepsPerSubscription
            listing.found[last].subscriptions.append(
                snapshot(of: record, connection, account))
        }
        if steps <= 0 { listing.unfinished = (handle, cursor) }
    }
}
