// The memory budget is spent.

import Glibc

/// At `max_memory` the slowest consumer of the loop goes first: the one whose socket is blocked and
/// that has most pending. If none is slow, the message at hand still gets its memory, and whoever
/// publishes waits until there is some again.
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
        while shedSlowest() {
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
        while shedSlowest() {
            if let block = unsafe pool.allocate(byteCount) { return unsafe block }
        }
        pauseReadersForMemory()
        return unsafe pool.allocateAlways(byteCount)
    }

    func shedAndMakePayload(_ byteCount: Int) -> PayloadRef {
        while shedSlowest() {
            if let payload = PayloadBuffer.make(byteCount, pool: pool, owner: returns) {
                return payload
            }
        }
        pauseReadersForMemory()
        return PayloadBuffer.makeAlways(byteCount, pool: pool, owner: returns)
    }

    /// Closes the blocked connection with most pending and frees its queue now; false when none is blocked.
    /// That may be the one a frame is written for: what is added to it then is thrown away.
    @discardableResult
    func shedSlowest() -> Bool {
        var slowest: ConnectionRef?
        var pending = 0
        for i in 0..<state.pointee.connections.endIndex {
            let candidate = state.pointee.connections[i]
            guard candidate.pointee.blockedSince != 0,
                candidate.pointee.outbound.pendingBytes > pending
            else { continue }
            slowest = candidate
            pending = candidate.pointee.outbound.pendingBytes
        }
        guard let slowest else { return false }
        closeSlowConsumer(slowest, .memory(pendingBytes: pending))
        stopSending(slowest)
        returns.collect(into: pool)
        return true
    }

    /// Nobody on this loop is slow, so the memory is elsewhere: other loops shed, and this one's readers
    /// wait a moment.
    private func pauseReadersForMemory() {
        for loop in shared.loops where loop.index != index { loop.mail.post(.shedMemory) }
        state.pointee.isShortOfMemory = true
        endSlice()
    }

    /// Another loop found no memory: gives back what lies idle here, then the slowest consumer.
    func helpInShortage() {
        guard shared.budget.isNearlySpent else { return }
        cache.giveBack()
        returns.collect(into: pool)
        for target in 0..<loopCount where target != index {
            unsafe outgoing[target].pointee.freeReturned(pool)
        }
        pool.giveBackIdle()
        if shared.budget.isNearlySpent { shedSlowest() }
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
