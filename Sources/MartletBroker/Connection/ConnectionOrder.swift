// The connections that monitoring shows, in the order of their ids: a page of /connz costs what it shows.

/// A connection's neighbours in that order, by their slots.
struct OrderLinks: BitwiseCopyable {
    static let none = UInt32.max

    var previous = none
    var next = none
}

/// A loop's connections in that order.
struct ConnectionOrder: BitwiseCopyable {
    var first = OrderLinks.none
    var last = OrderLinks.none
    var count = 0
}

extension BrokerLoop {
    /// A new one, whose id is the highest as a rule: only connections of this process may overtake each other
    /// on their way here.
    func enterOrder(_ connection: ConnectionRef) {
        guard connection.pointee.policy.isListed else { return }
        var previous = state.pointee.order.last
        while previous != OrderLinks.none, links(previous).id > connection.pointee.id {
            previous = links(previous).inOrder.previous
        }
        let slot = connection.pointee.handle.index
        let next = setNext(of: previous, to: slot)
        setPrevious(of: next, to: slot)
        connection.pointee.inOrder = OrderLinks(previous: previous, next: next)
        state.pointee.order.count += 1
    }

    func leaveOrder(_ connection: ConnectionRef) {
        guard connection.pointee.policy.isListed else { return }
        let links = connection.pointee.inOrder
        setNext(of: links.previous, to: links.next)
        setPrevious(of: links.next, to: links.previous)
        connection.pointee.inOrder = OrderLinks()
        state.pointee.order.count -= 1
    }

    private func links(_ slot: UInt32) -> (id: UInt64, inOrder: OrderLinks) {
        let connection = state.pointee.connections[Int(slot)]
        return (connection.pointee.id, connection.pointee.inOrder)
    }

    /// Returns what it was.
    @discardableResult
    private func setNext(of slot: UInt32, to next: UInt32) -> UInt32 {
        guard slot != OrderLinks.none else {
            defer { state.pointee.order.first = next }
            return state.pointee.order.first
        }
        let connection = state.pointee.connections[Int(slot)]
        defer { connection.pointee.inOrder.next = next }
        return connection.pointee.inOrder.next
    }

    private func setPrevious(of slot: UInt32, to previous: UInt32) {
        if slot == OrderLinks.none {
            state.pointee.order.last = previous
        } else {
            state.pointee.connections[Int(slot)].pointee.inOrder.previous = previous
        }
    }
}

// MARK: - The first ones

/// Looks for a loop's first connections by their ids, some in each turn.
///
/// SAFETY: one thread at a time has it: who makes it, then the loop, then whoever `then` gives it to.
final class ConnectionSearch: @unchecked Sendable {
    struct Found: Sendable {
        let id: UInt64
        let loop: Int
        let handle: SlabHandle
    }

    private let countMax: Int
    private let then: @Sendable (ConnectionSearch) -> Void
    private(set) var found: [Found] = []
    /// How many connections there are.
    fileprivate(set) var total = 0
    /// Where it goes on.
    fileprivate var next: SlabHandle?

    init(countMax: Int, then: @escaping @Sendable (ConnectionSearch) -> Void) {
        self.countMax = countMax
        self.then = then
    }

    fileprivate var isOver: Bool { found.count >= countMax }

    /// One that was passed already is passed over.
    fileprivate func add(_ connection: ConnectionRef, of loop: Int) {
        guard connection.pointee.id > found.last?.id ?? 0 else { return }
        found.append(
            Found(id: connection.pointee.id, loop: loop, handle: connection.pointee.handle))
    }

    func finish() { then(self) }
}

extension BrokerLoop {
    /// Goes on with a search, and leaves the rest to the next turn.
    func find(_ search: ConnectionSearch) {
        assert(thread.isCurrent)
        var steps = ConnectionListing.stepsPerTurn
        // If that one has gone, from the start.
        var slot =
            search.next.flatMap { connection($0)?.pointee.handle.index }
            ?? state.pointee.order.first
        while slot != OrderLinks.none, !search.isOver {
            let connection = state.pointee.connections[Int(slot)]
            guard steps > 0 else {
                search.next = connection.pointee.handle
                if mail.post(.findConnections(search)) { return }
                break
            }
            steps -= 1
            search.add(connection, of: index)
            slot = connection.pointee.inOrder.next
        }
        search.total = state.pointee.order.count
        search.finish()
    }
}
