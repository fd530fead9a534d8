import CMartletSystem
import Glibc

/// The side of the loop that has the connection: what `Transport` asks for.
extension MemoryPipe {
    /// Whether reading would give bytes, or the end.
    var brokerHasInput: Bool {
        @inline(never) get { state.withLock { $0.unread > 0 || $0.peerClosed } }
    }

    @inline(never)
    func brokerReceive(into buffer: MutableBytes, _ count: Int) -> ReadOutcome {
        let (outcome, wakes) = state.withLock { state -> (ReadOutcome, Bool) in
            guard state.unread > 0 else {
                state.brokerWaitsForInput = true
                return (state.peerClosed ? .closed(0) : .wantsRead, false)
            }
            let taken = min(state.unread, count)
            unsafe state.toBroker.withUnsafeBufferPointer {
                unsafe buffer.update(from: $0.baseAddress! + state.toBrokerStart, count: taken)
            }
            state.toBrokerStart += taken
            if state.unread == 0 {
                state.toBroker.removeAll(keepingCapacity: true)
                state.toBrokerStart = 0
                state.brokerWaitsForInput = true
            }
            let wakes = state.peerWaitsForRoom
            state.peerWaitsForRoom = false
            return (.bytes(taken), wakes)
        }
        if wakes { makeRoomKnown() }
        return outcome
    }

    @inline(never)
    func brokerSend(
        _ parts: UnsafeMutablePointer<iovec>, _ count: Int, byteCount: Int
    ) -> WriteOutcome {
        let outcome = state.withLock { state -> WriteOutcome in
            // A peer that has closed reads no more, but what it sent before is still to be read here.
            guard !state.peerClosed else { return .complete }
            var sent = 0
            for i in 0..<count {
                let taken = unsafe min(capacity - state.toPeer.count, parts[i].iov_len)
                unsafe state.toPeer.append(
                    contentsOf: UnsafeRawBufferPointer(start: parts[i].iov_base, count: taken))
                sent += taken
                if unsafe taken < parts[i].iov_len { break }
            }
            state.recount()
            state.brokerWaitsForRoom = sent < byteCount
            return sent == byteCount ? .complete : .wantsWrite(after: sent)
        }
        wakePeer()
        return outcome
    }

    /// A loop has taken the connection: what waits in it is the broker's memory.
    func count(in budget: MemoryBudget) {
        state.withLock { $0.count(in: budget) }
    }

    func brokerClose() {
        state.withLock { $0.brokerClosed = true }
        wakePeer()
        makeRoomKnown()
    }
}
