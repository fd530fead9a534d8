import CMartletSystem
import Glibc
import Synchronization

/// Two bounded byte streams between the broker and a peer in the same process.
///
/// The loop reads and writes as if it were a socket. A side that found nothing to read, or no room to
/// write, is told when that has changed, and only then: a busy stream costs no wake-ups.
final class MemoryPipe: Sendable {
    private struct State {
        var toBroker: [UInt8] = []
        var toBrokerStart = 0
        var toPeer: [UInt8] = []
        var peerClosed = false
        var brokerClosed = false
        var brokerWaitsForInput = true
        var brokerWaitsForRoom = false
        var peerWaitsForRoom = false

        var unread: Int { toBroker.count - toBrokerStart }
    }

    /// Bytes that one direction holds before its writer has to wait.
    let capacity: Int
    private let state = Guarded(State())
    /// Tells the loop that there is something to read, or room to write again.
    private let wakeBroker: @Sendable () -> Void
    /// Tells the peer that there is something to read, or that the broker has closed.
    private let wakePeer: @Sendable () -> Void
    /// Tells the peer that there is room to write again, or that the broker has closed.
    private let makeRoomKnown: @Sendable () -> Void

    init(
        capacity: Int = 1 << 20, wakeBroker: @escaping @Sendable () -> Void,
        wakePeer: @escaping @Sendable () -> Void, makeRoomKnown: @escaping @Sendable () -> Void = {}
    ) {
        self.capacity = capacity
        self.wakeBroker = wakeBroker
        self.wakePeer = wakePeer
        self.makeRoomKnown = makeRoomKnown
    }

    // MARK: The peer's side

    /// Takes as many bytes as there is room for; how many. nil when either side has closed. After fewer
    /// than it was given, the peer is told once there is room again.
    func peerSend(_ bytes: ArraySlice<UInt8>) -> Int? {
        let (taken, wakes) = state.withLock { state -> (Int?, Bool) in
            guard !state.brokerClosed, !state.peerClosed else { return (nil, false) }
            let count = min(capacity - state.unread, bytes.count)
            if state.toBrokerStart >= capacity {
                // What was read goes; moving the rest costs no more than reading it did.
                state.toBroker.removeFirst(state.toBrokerStart)
                state.toBrokerStart = 0
            }
            state.toBroker.append(contentsOf: bytes.prefix(count))
            state.peerWaitsForRoom = count < bytes.count
            let wakes = state.brokerWaitsForInput && count > 0
            if wakes { state.brokerWaitsForInput = false }
            return (count, wakes)
        }
        if wakes { wakeBroker() }
        return taken
    }

    /// Takes a frame that is given in parts, whole or not at all. False when there is no room: the peer
    /// is told once there is. A frame fits when the pipe is not full, however large it is. nil when either
    /// side has closed.
    func peerSend(whole parts: UnsafeBufferPointer<UnsafeRawBufferPointer>) -> Bool? {
        let (taken, wakes) = state.withLock { state -> (Bool?, Bool) in
            guard !state.brokerClosed, !state.peerClosed else { return (nil, false) }
            guard state.unread < capacity else {
                state.peerWaitsForRoom = true
                return (false, false)
            }
            if state.toBrokerStart >= capacity {
                state.toBroker.removeFirst(state.toBrokerStart)
                state.toBrokerStart = 0
            }
            for i in parts.indices { unsafe state.toBroker.append(contentsOf: parts[i]) }
            let wakes = state.brokerWaitsForInput
            state.brokerWaitsForInput = false
            return (true, wakes)
        }
        if wakes { wakeBroker() }
        return taken
    }

    /// Exchanges an empty buffer for what the broker has sent since, so that neither side allocates.
    /// False when it has closed and all is read, or the peer has closed.
    func peerReceive(into buffer: inout [UInt8]) -> Bool {
        let (isOpen, wakes) = state.withLock { state -> (Bool, Bool) in
            swap(&state.toPeer, &buffer)
            let wakes = state.brokerWaitsForRoom && !buffer.isEmpty
            if wakes { state.brokerWaitsForRoom = false }
            let isOver = state.peerClosed || buffer.isEmpty && state.brokerClosed
            return (!isOver, wakes)
        }
        if wakes { wakeBroker() }
        return isOpen
    }

    /// Whether the broker has more to send than there is room for.
    var isFullForPeer: Bool { state.withLock { $0.brokerWaitsForRoom } }

    /// What the broker has sent since; nil when it has closed and all is read, or the peer has closed.
    func peerReceive() -> [UInt8]? {
        let (bytes, wakes) = state.withLock { state -> ([UInt8]?, Bool) in
            let bytes = state.toPeer
            state.toPeer = []
            let wakes = state.brokerWaitsForRoom && !bytes.isEmpty
            if wakes { state.brokerWaitsForRoom = false }
            let isOver = state.peerClosed || bytes.isEmpty && state.brokerClosed
            return (isOver ? nil : bytes, wakes)
        }
        if wakes { wakeBroker() }
        return bytes
    }

    /// The broker still reads what was sent before; what it sends from now on is thrown away.
    func peerClose() {
        state.withLock {
            $0.peerClosed = true
            $0.toPeer = []
        }
        wakeBroker()
    }

    /// Bytes that the way to the broker takes, those that were read and not given up yet included.
    var storedBytes: Int { state.withLock { $0.toBroker.count } }

    // MARK: The broker's side

    /// Whether reading would give bytes, or the end.
    var brokerHasInput: Bool {
        @inline(never) get { state.withLock { $0.unread > 0 || $0.peerClosed } }
    }

    @inline(never)
    func brokerReceive(into buffer: MutableBytes, _ count: Int) -> Socket.Outcome {
        let (outcome, wakes) = state.withLock { state -> (Socket.Outcome, Bool) in
            guard state.unread > 0 else {
                state.brokerWaitsForInput = true
                return (state.peerClosed ? .closed(0) : .wouldBlock, false)
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
    func brokerSend(_ parts: UnsafeMutablePointer<iovec>, _ count: Int) -> Socket.Outcome {
        let outcome = state.withLock { state -> Socket.Outcome in
            let total = (0..<count).reduce(0) { unsafe $0 + parts[$1].iov_len }
            // A peer that has closed reads no more, but what it sent before is still to be read here.
            guard !state.peerClosed else { return .bytes(total) }
            var sent = 0
            for i in 0..<count {
                let taken = unsafe min(capacity - state.toPeer.count, parts[i].iov_len)
                unsafe state.toPeer.append(
                    contentsOf: UnsafeRawBufferPointer(start: parts[i].iov_base, count: taken))
                sent += taken
                if unsafe taken < parts[i].iov_len { break }
            }
            state.brokerWaitsForRoom = sent < total
            return sent == 0 && total > 0 ? .wouldBlock : .bytes(sent)
        }
        wakePeer()
        return outcome
    }

    func brokerClose() {
        state.withLock { $0.brokerClosed = true }
        wakePeer()
        makeRoomKnown()
    }
}
