// Message path, beside ReadBuffer.swift: payloads that get a buffer of their own.

import Glibc

/// The control line of a large message while its payload is read: the bytes of the line and the
/// operation with its places in them.
///
/// SAFETY: `bytes` is a block of `blockBytes` of the loop's pool, or nil; the operation's places lie in it.
@safe
struct LargeMessageLine: BitwiseCopyable {
    var bytes: MutableBytes?
    var blockBytes = 0
    var operation = Operation()
}

extension BrokerLoop {
    /// The room that a payload has before its bytes come, and how many times what has come it is given then:
    /// who announces much and sends nothing holds little.
    private static let payloadRoomMin = 16 << 10
    private static let payloadGrowth = 4

    /// Starts a large message: its payload's first bytes go to a buffer that subscribers will share.
    /// Returns where the receive buffer goes on.
    @inline(never)
    func takeLargePayload(_ connection: ConnectionRef, _ operation: Operation, _ count: Int) -> Int
    {
        let byteCount = operation.totalBytes + 2
        returns.collect(into: pool)
        lookForUnusedMemory()
        let available = min(count - operation.payloadStart, byteCount)
        let room = min(byteCount, max(Self.payloadRoomMin, available * Self.payloadGrowth))
        guard
            let payload = PayloadBuffer.make(byteCount, room: room, pool: pool, owner: returns)
                ?? shedAndMakePayload(byteCount, room: max(available, 1))
        else {
            refuseForLackOfMemory(connection)
            return count
        }
        unsafe memcpy(PayloadBuffer.bytes(payload), input + operation.payloadStart, available)
        payload.pointee.filled = available
        connection.pointee.payload = payload
        guard keepLine(connection, operation) else {
            refuseForLackOfMemory(connection)
            return count
        }
        guard checkPayloadEnd(connection, payload) else { return count }
        if available == byteCount { publishLarge(connection) }
        return operation.payloadStart + available
    }

    /// The payload that is read, with room for more of it; nil where that waits for memory.
    func payloadWithRoom(_ connection: ConnectionRef) -> PayloadRef? {
        guard let payload = connection.pointee.payload else { return nil }
        let filled = payload.pointee.filled
        guard filled == payload.pointee.room, filled < payload.pointee.count else { return payload }
        let room = min(payload.pointee.count, filled * Self.payloadGrowth)
        returns.collect(into: pool)
        guard
            let grown = PayloadBuffer.grow(payload, room: room, pool: pool)
                ?? shedAndGrowPayload(of: connection, room: room)
        else {
            if !connection.pointee.flags.contains(.isClosing) { waitForMemory(connection) }
            return nil
        }
        connection.pointee.payload = grown
        return grown
    }

    private func keepLine(_ connection: ConnectionRef, _ operation: Operation) -> Bool {
        let start = Int(operation.subject.start)
        let length = operation.payloadStart - start
        let blockBytes = BlockPool.capacity(for: length + Parser.slack)
        guard
            let block = unsafe pool.allocateOverBudget(blockBytes)?
                .assumingMemoryBound(to: UInt8.self)
        else { return false }
        unsafe memcpy(block, input + start, length)
        var line = unsafe LargeMessageLine(
            bytes: block, blockBytes: blockBytes, operation: operation)
        line.operation.subject.start = 0
        line.operation.reply.start &-= UInt32(start)
        line.operation.headerDigits.start &-= UInt32(start)
        line.operation.sizeDigits.start &-= UInt32(start)
        line.operation.tail.start &-= UInt32(start)
        line.operation.payloadStart = length
        connection.pointee.payloadLine = line
        return true
    }

    /// The payload is whole: publish it. Where the connection has to wait for a rules worker first, it is
    /// paused with all that it has, and `resume` comes here again.
    func publishLarge(_ connection: ConnectionRef) {
        guard let payload = connection.pointee.payload,
            let line = unsafe connection.pointee.payloadLine.bytes
        else { return }
        if state.pointee.settings.hasRules,
            unsafe mustWaitForWorker(connection, line, connection.pointee.payloadLine.operation)
        {
            return
        }
        if state.pointee.settings.traces { traceLarge(connection, payload) }
        connection.pointee.payload = nil
        unsafe connection.pointee.payloadLine.bytes = nil
        unsafe publish(connection, line, connection.pointee.payloadLine.operation, payload)
        PayloadBuffer.release(payload, on: returns, pool: pool)
        unsafe pool.free(line, connection.pointee.payloadLine.blockBytes)
    }

    func releaseLargeMessage(_ connection: ConnectionRef) {
        if let payload = connection.pointee.payload {
            PayloadBuffer.release(payload, on: returns, pool: pool)
            connection.pointee.payload = nil
        }
        if let line = unsafe connection.pointee.payloadLine.bytes {
            unsafe pool.free(line, connection.pointee.payloadLine.blockBytes)
            unsafe connection.pointee.payloadLine.bytes = nil
        }
    }
}
