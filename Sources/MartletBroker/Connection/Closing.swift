// How a connection ends.

import CMartletSystem
import Glibc
import Logging

extension BrokerLoop {
    /// Marks a connection for closing at the end of the turn: whoever holds it now can finish.
    func close(_ connection: ConnectionRef, _ reason: CloseReason) {
        guard !connection.pointee.flags.contains(.isClosing) else { return }
        connection.pointee.flags.insert(.isClosing)
        connection.pointee.closeReason = reason
        state.pointee.closing.append(connection.pointee.handle)
        endSlice()
    }

    /// Tells the peer why, then closes.
    func end(_ connection: ConnectionRef, _ reason: CloseReason, saying message: String? = nil) {
        guard !connection.pointee.flags.contains(.isClosing) else { return }
        if let message { sendError(connection, message) }
        close(connection, reason)
    }

    /// Every connection that was closing in this turn. What is queued for it is offered to its socket once.
    @inline(never)
    func finishClosing() {
        var i = 0
        while i < state.pointee.closing.count {
            let handle = unsafe state.pointee.closing.items[i]
            i += 1
            guard let connection = connection(handle) else { continue }
            closeNow(connection, connection.pointee.closeReason)
        }
        state.pointee.closing.removeAll()
    }

    func closeNow(_ connection: ConnectionRef, _ reason: CloseReason) {
        connection.pointee.flags.insert(.isClosing)
        shared.logger.debug("\(name(of: connection)) - Client connection closed: \(reason.text)")
        recordClosed(connection, reason)
        unsubscribeAll(connection)
        releaseWaitingPublishers(connection)
        offerLastBytes(connection)
        if case .socket(let descriptor) = connection.pointee.transport {
            events.poller.remove(descriptor)
            if reason != .clientClosed { discardInput(descriptor) }
        }
        connection.pointee.transport.close()
        connection.pointee.transport = .none
        connection.pointee.outbound.removeAll(pool: pool, returns: returns)
        releaseCarry(connection)
        releaseLargeMessage(connection)
        unsafe connection.pointee.details?.release()
        unsafe connection.pointee.details = nil
        if connection.pointee.flags.contains(.isAdmitted) { shared.leave() }
        let slot = Int(connection.pointee.handle.index)
        connection.pointee.handle.generation &+= 1
        state.pointee.connections.give(back: slot)
    }

    private func recordClosed(_ connection: ConnectionRef, _ reason: CloseReason) {
        if connection.pointee.policy.isListed {
            let count = Int(connection.pointee.subscriptions.count)
            shared.recordClosed(
                snapshot(of: connection, withSubscriptions: count <= 128, reason: reason))
        }
        if connection.pointee.policy.isCounted { counters.pointee.connections.add(-1) }
    }

    private func offerLastBytes(_ connection: ConnectionRef) {
        guard !connection.pointee.flags.contains(.discardsOutput) else { return }
        while !connection.pointee.outbound.isEmpty {
            var count = 0
            var next = connection.pointee.outbound.head
            while let segment = next, count < Self.vectorsMax {
                unsafe vectors[count] = unsafe iovec(
                    iov_base: segment.pointee.bytes + Int(segment.pointee.start),
                    iov_len: Int(segment.pointee.end - segment.pointee.start))
                count += 1
                next = segment.pointee.next
            }
            guard case .bytes(let sent) = unsafe connection.pointee.transport.send(vectors, count),
                sent > 0
            else {
                return
            }
            connection.pointee.outbound.consume(sent, pool: pool, returns: returns)
        }
    }

    /// Closing a socket with unread input resets it, which can cost the peer the -ERR that it has not
    /// read yet: what has come is read and thrown away first, up to 1 MiB.
    private func discardInput(_ descriptor: Int32) {
        shutdown(descriptor, Int32(SHUT_WR))
        for _ in 0..<16 {
            guard case .bytes = unsafe Socket.receive(descriptor, into: input, Self.readBytesMax)
            else { return }
        }
    }

    /// The loop has stopped: every connection ends.
    func closeEverything() {
        stopListening()
        for i in 0..<state.pointee.connections.endIndex {
            let connection = state.pointee.connections[i]
            if case .none = connection.pointee.transport { continue }
            closeNow(connection, .serverShutdown)
        }
    }

    /// The text that log lines start with: address and client id.
    func name(of connection: ConnectionRef) -> String {
        guard let details = unsafe connection.pointee.details?.takeUnretainedValue() else {
            return "cid:\(connection.pointee.id)"
        }
        let ip = details.ip.contains(":") ? "[\(details.ip)]" : details.ip
        return "\(ip):\(details.port) - cid:\(connection.pointee.id)"
    }
}
