// The memory budget is spent.

import Glibc

/// At `max_memory`, memory that lies idle in blocks of other sizes is gathered first. Then the connection of the
/// loop that holds most goes: one whose socket is blocked or whose message has not grown for a while, and only
/// where there is none like that, one whose message is coming. If connections hold little, the message at
/// hand still gets its memory, and whoever publishes waits until there is some again.
///
/// Where the system has none either, the operation that asked is refused and its connection closed: a loop goes on.
extension BrokerLoop {
    /// Room for a frame in the connection's queue; nil when the system has no memory, and the connection closes.
    @inline(__always)
    func reserve(_ count: Int, on connection: ConnectionRef) -> MutableBytes? {
        if let room = unsafe connection.pointee.outbound.reserve(count, pool: pool) {
            return unsafe room
        }
        return unsafe reserveInShortage(count, on: connection)
    }

    @inline(never)
    private func reserveInShortage(_ count: Int, on connection: ConnectionRef) -> MutableBytes? {
        let room = unsafe inShortage(
            { unsafe connection.pointee.outbound.reserve(count, pool: pool) },
            orElse: { unsafe connection.pointee.outbound.reserveOverBudget(count, pool: pool) })
        if unsafe room == nil { closeForLackOfMemory(connection) }
        return unsafe room
    }

    /// Makes room within the budget, or goes over it; nil when the system has no memory.
    private func inShortage<Memory>(
        _ allocate: () -> Memory?, orElse allocateOverBudget: () -> Memory?
    ) -> Memory? {
        if let memory = makeRoom(for: allocate) { return memory }
        pauseReadersForMemory()
        if let memory = allocateOverBudget() { return memory }
        // Who holds anything to speak of goes before somebody who does not.
        for _ in 0..<Self.shedPerShortage {
            guard shedLargest(evenOfLittle: true) else { return nil }
            if let memory = allocateOverBudget() { return memory }
        }
        return nil
    }

    /// Looks for what is idle, and lets some go only when all of that has been looked at.
    private func makeRoom<Memory>(for allocate: () -> Memory?) -> Memory? {
        if pool.isSorting || now >= state.pointee.sortingDueAt {
            pool.sortIdleBlocks(atMost: Self.sortedPerShortage)
            if let memory = allocate() { return memory }
            guard !pool.isSorting else { return nil }
            state.pointee.sortingDueAt = now &+ Self.sortingPauseNanoseconds
        }
        for _ in 0..<Self.shedPerShortage {
            guard shedLargest() else { return nil }
            if let memory = allocate() { return memory }
        }
        return nil
    }

    /// Idle blocks that are looked at at once, which takes about 50 µs. Who waits for memory looks again after 5 ms.
    private static let sortedPerShortage = 1_024
    private static let sortingPauseNanoseconds: UInt64 = 100_000_000
    /// Connections that go at once: each is found among all.
    private static let shedPerShortage = 8

    /// The control line stands in the queue already: without its payload nothing of that may be sent.
    @inline(never)
    func appendPayload(_ payload: PayloadRef, from start: Int, on connection: ConnectionRef) {
        if connection.pointee.outbound.append(payload, from: start, pool: pool) { return }
        closeForLackOfMemory(connection)
        stopSending(connection)
    }

    func shedAndAllocate(_ byteCount: Int) -> UnsafeMutableRawPointer? {
        unsafe inShortage(
            { unsafe pool.allocate(byteCount) },
            orElse: { unsafe pool.allocateOverBudget(byteCount) })
    }

    /// A payload of the loop's own, with room for all of it; nil when the system has no memory.
    func makePayload(_ byteCount: Int) -> PayloadRef? {
        returns.collect(into: pool)
        lookForUnusedMemory()
        return PayloadBuffer.make(byteCount, pool: pool, owner: returns)
            ?? shedAndMakePayload(byteCount, room: byteCount)
    }

    func shedAndMakePayload(_ byteCount: Int, room: Int) -> PayloadRef? {
        inShortage(
            { PayloadBuffer.make(byteCount, room: room, pool: pool, owner: returns) },
            orElse: {
                PayloadBuffer.makeOverBudget(byteCount, room: room, pool: pool, owner: returns)
            })
    }

    /// nil where nobody has given up enough, or the connection itself has gone.
    @inline(never)
    func shedAndGrowPayload(of connection: ConnectionRef, room: Int) -> PayloadRef? {
        let grown: PayloadRef? = makeRoom {
            guard let payload = connection.pointee.payload else { return nil }
            return PayloadBuffer.grow(payload, room: room, pool: pool)
        }
        if let grown { return grown }
        guard connection.pointee.payload != nil else { return nil }
        askOthersForMemory()
        // Waiting frees nothing of what others hold of the system's.
        if !SystemMemory.hasRoom(for: room) { closeForLackOfMemory(connection) }
        return nil
    }

    /// Closes the connection that holds most and frees that now; false when connections hold less than an eighth
    /// of what is this loop's, for then it is not they who took the memory. It may be the one a frame is written
    /// for: what is added to it then is thrown away.
    @discardableResult
    private func shedLargest(evenOfLittle: Bool = false) -> Bool {
        var (stuck, moving) = (Holders(), Holders())
        for i in 0..<state.pointee.connections.endIndex {
            let candidate = state.pointee.connections[i]
            guard !candidate.pointee.flags.contains(.isClosing) else { continue }
            let held = heldBytes(candidate)
            stuck.add(candidate, held.stuck)
            moving.add(candidate, held.moving)
        }
        // Where the system has less than `max_memory`, what there is counts.
        let taken = min(shared.budget.bytesMax, shared.budget.usedBytes)
        let least = evenOfLittle ? Self.largePayloadBytes : taken / 8 / loopCount
        let holders = stuck.total >= least ? stuck : moving
        guard let largest = holders.largest, holders.total >= least else { return false }
        closeSlowConsumer(largest, .memory(heldBytes: holders.most))
        stopSending(largest)
        releaseLargeMessage(largest)
        releaseCarry(largest)
        returns.collect(into: pool)
        return true
    }

    private struct Holders {
        var largest: ConnectionRef?
        var most = 0
        var total = 0

        mutating func add(_ connection: ConnectionRef, _ held: Int) {
            total += held
            if held > most { (largest, most) = (connection, held) }
        }
    }

    /// What has come of a message or a line that is not whole moves while more of it comes. What waits for a peer
    /// whose socket is full is stuck.
    private func heldBytes(_ connection: ConnectionRef) -> (stuck: Int, moving: Int) {
        let pending =
            connection.pointee.blockedSince == 0 ? 0 : connection.pointee.outbound.pendingBytes
        let payload = connection.pointee.payload?.pointee.blockBytes ?? 0
        let input = connection.pointee.carryBlockBytes + payload
        let isMoving =
            connection.pointee.lastInputAt &+ Self.movingNanoseconds > now
            || !connection.pointee.pauseReasons.isEmpty
        return isMoving ? (pending, input) : (pending + input, 0)
    }

    private static let movingNanoseconds: UInt64 = 1_000_000_000

    /// The memory is elsewhere: other loops shed, and this one's readers wait a moment.
    private func pauseReadersForMemory() {
        askOthersForMemory()
        state.pointee.isShortOfMemory = true
        endSlice()
    }

    private func askOthersForMemory() {
        for loop in shared.loops where loop.index != index { loop.mail.post(.shedMemory) }
    }

    /// Another loop found no memory: gives back what lies idle here, then who holds most.
    func helpInShortage() {
        guard isMemoryShort else { return }
        cache.giveBack()
        returns.collect(into: pool)
        for target in 0..<loopCount where target != index {
            unsafe outgoing[target].pointee.freeReturned(pool)
        }
        pool.giveBackIdle()
        if isMemoryShort { shedLargest() }
    }

    private var isMemoryShort: Bool {
        shared.budget.isNearlySpent || !SystemMemory.hasRoom(for: 1 << 20)
    }

    /// After an operation in a shortage: its connection waits for 5 ms, then looks again.
    @inline(never)
    func waitForMemory(_ connection: ConnectionRef) {
        state.pointee.isShortOfMemory = false
        cache.giveBack()
        pause(connection, .memory)
        setDeadline(.resume, now &+ 5_000_000, connection)
    }
}

// MARK: The system has none

extension BrokerLoop {
    /// Whoever asked for what there is no memory for hears so, if that has room, and goes.
    @inline(never)
    func refuseForLackOfMemory(_ connection: ConnectionRef) {
        recordLackOfMemory()
        end(connection, .outOfMemory, saying: "Out Of Memory")
    }

    /// The same for what may have come from another loop, or from the broker: then it is lost, and counted.
    @inline(never)
    func refuseForLackOfMemory(_ origin: Origin) {
        guard let publisher = publisher(origin) else { return recordLackOfMemory() }
        refuseForLackOfMemory(publisher)
    }

    /// There is no memory for what it would hear.
    private func closeForLackOfMemory(_ connection: ConnectionRef) {
        recordLackOfMemory()
        close(connection, .outOfMemory)
    }

    /// Logged once a second, since it may happen for every message.
    func recordLackOfMemory() {
        state.pointee.refusedForMemory += 1
        guard now >= state.pointee.memoryLogDueAt else { return }
        state.pointee.memoryLogDueAt = now &+ 1_000_000_000
        shared.events.record(.memoryRefused(operations: state.pointee.refusedForMemory))
        state.pointee.refusedForMemory = 0
    }
}
