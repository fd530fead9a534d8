// Message path, beside SlowConsumer.swift: the memory budget is spent.

import Glibc
import Logging

/// At `max_memory` the slowest consumer of the loop goes first: the one whose socket is blocked and
/// that has most pending. If none is slow, the message at hand still gets its memory, and whoever
/// publishes waits until there is some again.
extension BrokerLoop {
    /// Room for a frame in the connection's queue.
    @inline(__always)
    func reserve(_ count: Int, on connection: ConnectionRef) -> MutableBytes {
        if let room = connection.pointee.outbound.reserve(count, pool: pool) { return room }
        return reserveInShortage(count, on: connection)
    }

    @inline(never)
    private func reserveInShortage(_ count: Int, on connection: ConnectionRef) -> MutableBytes {
        while shedSlowest(except: connection) {
            if let room = connection.pointee.outbound.reserve(count, pool: pool) { return room }
        }
        pauseReadersForMemory()
        return connection.pointee.outbound.reserveAlways(count, pool: pool)
    }

    @inline(never)
    func appendPayload(_ payload: PayloadRef, from start: Int, on connection: ConnectionRef) {
        connection.pointee.outbound.append(payload, from: start, pool: pool)
    }

    func shedAndAllocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        while shedSlowest(except: nil) {
            if let block = pool.allocate(byteCount) { return block }
        }
        pauseReadersForMemory()
        return pool.allocateAlways(byteCount)
    }

    func shedAndMakePayload(_ byteCount: Int) -> PayloadRef {
        while shedSlowest(except: nil) {
            if let payload = PayloadBuffer.make(byteCount, pool: pool, owner: returns) { return payload }
        }
        pauseReadersForMemory()
        return PayloadBuffer.makeAlways(byteCount, pool: pool, owner: returns)
    }

    /// Closes the blocked connection with most pending and frees its queue now; false when none is blocked.
    @discardableResult
    func shedSlowest(except kept: ConnectionRef?) -> Bool {
        var slowest: ConnectionRef?
        var pending = 0
        for i in 0..<state.pointee.connections.endIndex {
            let candidate = state.pointee.connections[i]
            guard candidate != kept, candidate.pointee.blockedSince != 0,
                candidate.pointee.outbound.pendingBytes > pending
            else { continue }
            slowest = candidate
            pending = candidate.pointee.outbound.pendingBytes
        }
        guard let slowest else { return false }
        shared.logger.info("\(name(of: slowest)) - Slow Consumer Detected: max_memory reached, \(pending) bytes pending")
        counters.pointee.slowConsumersByBytes.add(1)
        slowest.pointee.outbound.removeAll(pool: pool, returns: returns)
        slowest.pointee.blockedSince = 0
        doom(slowest, .slowConsumerPendingBytes)
        returns.collect(into: pool)
        return true
    }

    /// Nobody on this loop is slow, so the memory is elsewhere: other loops shed, and this one's readers
    /// wait a moment.
    private func pauseReadersForMemory() {
        for loop in shared.loops where loop.index != index { loop.mail.post(.shedMemory) }
        state.pointee.isShortOfMemory = true
    }

    /// After an operation in a shortage: its connection waits for 5 ms, then looks again.
    @inline(never)
    func waitForMemory(_ connection: ConnectionRef) {
        state.pointee.isShortOfMemory = false
        pause(connection, .memory)
        setDeadline(\.resume, now &+ 5_000_000, connection)
    }
}
