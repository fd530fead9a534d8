// The memory budget is spent.

import Glibc

/// At `max_memory` the connection of the loop that holds most goes first: as a consumer whose socket is
/// blocked, or as a publisher whose message is not whole. If connections hold little, the message at hand
/// still gets its memory, and whoever publishes waits until there is some again.
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
        while shedLargest() {
            if let memory = allocate() { return memory }
        }
        pauseReadersForMemory()
        if let memory = allocateOverBudget() { return memory }
        // Who holds anything to speak of goes before somebody who does not.
        while shedLargest(evenOfLittle: true) {
            if let memory = allocateOverBudget() { return memory }
        }
        return nil
    }

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
        while shedLargest() {
            guard let payload = connection.pointee.payload else { return nil }
            if let grown = PayloadBuffer.grow(payload, room: room, pool: pool) { return grown }
        }
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
        var largest: ConnectionRef?
        var most = 0
        var total = 0
        for i in 0..<state.pointee.connections.endIndex {
            let candidate = state.pointee.connections[i]
            let held = Self.heldBytes(candidate)
            total += held
            if held > most { (largest, most) = (candidate, held) }
        }
        // Where the system has less than `max_memory`, what there is counts.
        let taken = min(shared.budget.bytesMax, shared.budget.usedBytes)
        let least = evenOfLittle ? Self.largePayloadBytes : taken / 8 / loopCount
        guard let largest, total >= least else { return false }
        closeSlowConsumer(largest, .memory(heldBytes: most))
        stopSending(largest)
        releaseLargeMessage(largest)
        returns.collect(into: pool)
        return true
    }

    /// What waits for a peer that does not take it, and what has come of a message that is not whole.
    private static func heldBytes(_ connection: ConnectionRef) -> Int {
        let pending =
            connection.pointee.blockedSince == 0 ? 0 : connection.pointee.outbound.pendingBytes
        return pending + (connection.pointee.payload?.pointee.blockBytes ?? 0)
    }

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
