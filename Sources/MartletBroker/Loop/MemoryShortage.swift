// The memory budget is spent.

import Glibc

/// At `max_memory` the connection of the loop that holds most goes first: as a consumer whose socket is
/// blocked, or as a publisher whose message is not whole. If connections hold little, the message at hand
/// still gets its memory, and whoever publishes waits until there is some again.
extension BrokerLoop {
    /// Room for a frame in the connection's queue.
    @inline(__always)
    func reserve(_ count: Int, on connection: ConnectionRef) -> MutableBytes {
        if let room = unsafe connection.pointee.outbound.reserve(count, pool: pool) {
            return unsafe room
        }
        return unsafe reserveInShortage(count, on: connection)
    }

    @inline(never)
    private func reserveInShortage(_ count: Int, on connection: ConnectionRef) -> MutableBytes {
        while shedLargest() {
            if let room = unsafe connection.pointee.outbound.reserve(count, pool: pool) {
                return unsafe room
            }
        }
        pauseReadersForMemory()
        return unsafe connection.pointee.outbound.reserveAlways(count, pool: pool)
    }

    @inline(never)
    func appendPayload(_ payload: PayloadRef, from start: Int, on connection: ConnectionRef) {
        connection.pointee.outbound.append(payload, from: start, pool: pool)
    }

    func shedAndAllocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        while shedLargest() {
            if let block = unsafe pool.allocate(byteCount) { return unsafe block }
        }
        pauseReadersForMemory()
        return unsafe pool.allocateAlways(byteCount)
    }

    /// A payload of the loop's own, with room for all of it.
    func makePayload(_ byteCount: Int) -> PayloadRef {
        returns.collect(into: pool)
        return PayloadBuffer.make(byteCount, pool: pool, owner: returns)
            ?? shedAndMakePayload(byteCount, room: byteCount)
    }

    func shedAndMakePayload(_ byteCount: Int, room: Int) -> PayloadRef {
        while shedLargest() {
            if let payload = PayloadBuffer.make(
                byteCount, room: room, pool: pool, owner: returns)
            {
                return payload
            }
        }
        pauseReadersForMemory()
        return PayloadBuffer.makeAlways(byteCount, room: room, pool: pool, owner: returns)
    }

    /// nil where nobody has given up enough, or the connection itself has gone.
    @inline(never)
    func shedAndGrowPayload(of connection: ConnectionRef, room: Int) -> PayloadRef? {
        while shedLargest() {
            guard let payload = connection.pointee.payload else { return nil }
            if let grown = PayloadBuffer.grow(payload, room: room, pool: pool) { return grown }
        }
        askOthersForMemory()
        return nil
    }

    /// Closes the connection that holds most and frees that now; false when connections hold less than an eighth
    /// of what is this loop's, for then it is not they who took the memory. It may be the one a frame is written
    /// for: what is added to it then is thrown away.
    @discardableResult
    private func shedLargest() -> Bool {
        var largest: ConnectionRef?
        var most = 0
        var total = 0
        for i in 0..<state.pointee.connections.endIndex {
            let candidate = state.pointee.connections[i]
            let held = Self.heldBytes(candidate)
            total += held
            if held > most { (largest, most) = (candidate, held) }
        }
        guard let largest, total >= shared.budget.bytesMax / 8 / loopCount else { return false }
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
        guard shared.budget.isNearlySpent else { return }
        cache.giveBack()
        returns.collect(into: pool)
        for target in 0..<loopCount where target != index {
            unsafe outgoing[target].pointee.freeReturned(pool)
        }
        pool.giveBackIdle()
        if shared.budget.isNearlySpent { shedLargest() }
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
