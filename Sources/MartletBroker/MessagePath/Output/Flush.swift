// Message path, step 10: bytes go out. The end of the path.

import CMartletSystem
import Glibc

extension BrokerLoop {
    /// Nearly always what waits is one chunk, for a socket that has room for it. A connection that waits
    /// for room is written to when the poller finds it.
    @inline(__always)
    func flushFast(_ connection: ConnectionRef) {
        guard
            connection.pointee.flags.isDisjoint(with: [.awaitsWritable, .discardsOutput]),
            let chunk = connection.pointee.outbound.onlyChunk,
            let descriptor = connection.pointee.transport.directDescriptor,
            connection.pointee.blockedSince == 0, connection.pointee.waitingPublishers == nil
        else {
            if !connection.pointee.flags.contains(.awaitsWritable) { flush(connection) }
            return
        }
        let count = Int(chunk.pointee.end &- chunk.pointee.start)
        let sent = unsafe martlet_send(
            descriptor, chunk.pointee.bytes + Int(chunk.pointee.start), count)
        guard sent == count else { return flushRest(connection, sent) }
        connection.pointee.firstUnsentFrame = 0
        connection.pointee.outbound.removeOnly(chunk, pool: pool)
    }

    /// The socket has taken a part, or it has said why it takes nothing, and says it again.
    @inline(never)
    private func flushRest(_ connection: ConnectionRef, _ sent: Int) {
        guard sent > 0 else { return flush(connection) }
        recordSent(connection, sent)
        awaitWritable(connection)
    }

    /// Writes until all is sent or the socket is full.
    @inline(never)
    func flush(_ connection: ConnectionRef) {
        guard
            connection.pointee.flags.isDisjoint(
                with: [.discardsOutput, .isArriving, .isHandedOver])
        else {
            if connection.pointee.flags.contains(.discardsOutput) { stopSending(connection) }
            return
        }
        while !connection.pointee.outbound.isEmpty {
            let (count, byteCount) = gather(connection)
            switch unsafe connection.pointee.transport.send(vectors, count, byteCount: byteCount) {
            case .complete: recordSent(connection, byteCount)
            case .wantsWrite(let sent):
                if sent > 0 { recordSent(connection, sent) }
                return awaitWritable(connection)
            case .closed(let code):
                stopSending(connection)
                // What a peer has sent before it went still counts: the end of its input closes it.
                if code != EPIPE, code != ECONNRESET { close(connection, .writeError) }
                return
            }
        }
        isDrained(connection)
    }

    /// Throws away what waits, and whatever comes for this connection from now on.
    func stopSending(_ connection: ConnectionRef) {
        connection.pointee.flags.insert(.discardsOutput)
        connection.pointee.outbound.removeAll(pool: pool, returns: returns)
        isDrained(connection)
    }

    @inline(__always)
    func gather(_ connection: ConnectionRef) -> (count: Int, byteCount: Int) {
        var count = 0
        var byteCount = 0
        var next = connection.pointee.outbound.head
        while let segment = next, count < Self.vectorsMax {
            let length = Int(segment.pointee.end &- segment.pointee.start)
            unsafe vectors[count] = unsafe iovec(
                iov_base: segment.pointee.bytes + Int(segment.pointee.start), iov_len: length)
            count &+= 1
            byteCount &+= length
            next = segment.pointee.next
        }
        return (count, byteCount)
    }

    @inline(__always)
    private func recordSent(_ connection: ConnectionRef, _ sent: Int) {
        if sent == connection.pointee.outbound.pendingBytes {
            connection.pointee.firstUnsentFrame = 0
        } else if connection.pointee.flags.contains(.dropsOld),
            connection.pointee.firstUnsentFrame >= 0
        {
            connection.pointee.firstUnsentFrame = connection.pointee.outbound.firstFrame(
                after: sent, startingFrom: connection.pointee.firstUnsentFrame)
        } else {
            connection.pointee.firstUnsentFrame = -1
        }
        connection.pointee.outbound.consume(sent, pool: pool, returns: returns)
        if connection.pointee.blockedSince != 0, sent > 0 {
            // A byte a second must not live for ever, but a queue that is never empty may be one that
            // moves fast: the deadline moves when all that was pending at the last one is gone.
            connection.pointee.overdueBytes &-= sent
            unsafe fullConnections[index].remove(connection.pointee.handle.index)
            if connection.pointee.overdueBytes <= 0 { restartWriteDeadline(connection) }
            if connection.pointee.waitingPublishers != nil,
                connection.pointee.outbound.pendingBytes <= connection.pointee.pendingBytesMax / 2
            {
                releaseWaitingPublishers(connection)
            }
        }
    }

    @inline(__always)
    private func isDrained(_ connection: ConnectionRef) {
        let waited = connection.pointee.blockedSince != 0
        if waited || connection.pointee.waitingPublishers != nil { recordDrained(connection) }
    }

    @inline(never)
    private func recordDrained(_ connection: ConnectionRef) {
        connection.pointee.blockedSince = 0
        connection.pointee.deadlines.write = Deadlines.never
        if connection.pointee.waitingPublishers != nil { releaseWaitingPublishers(connection) }
        if connection.pointee.flags.contains(.awaitsWritable) {
            connection.pointee.flags.remove(.awaitsWritable)
            watch(connection)
        }
    }

    private func restartWriteDeadline(_ connection: ConnectionRef) {
        connection.pointee.blockedSince = now
        connection.pointee.overdueBytes = connection.pointee.outbound.pendingBytes
        guard connection.pointee.policy.isClosedWhenSlow else { return }
        setDeadline(.write, now &+ state.pointee.settings.writeDeadlineNanoseconds, connection)
    }

    private func awaitWritable(_ connection: ConnectionRef) {
        if connection.pointee.blockedSince == 0 { restartWriteDeadline(connection) }
        guard !connection.pointee.flags.contains(.awaitsWritable) else { return }
        connection.pointee.flags.insert(.awaitsWritable)
        watch(connection)
    }
}
