// Message path, beside Transport.swift: a connection without a socket.

import CMartletSystem
import Glibc
import Synchronization

/// Two bounded byte streams between the broker and a peer in the same process.
///
/// The loop reads and writes as if it were a socket; each side is told when the other has moved.
final class MemoryPipe: Sendable {
    private struct State {
        var toBroker: [UInt8] = []
        var toBrokerStart = 0
        var toPeer: [UInt8] = []
        var peerClosed = false
        var brokerClosed = false
        var brokerWaitsForRoom = false
    }

    /// Bytes that one direction holds before its writer has to wait.
    let capacity: Int
    private let state = Mutex(State())
    /// Tells the loop that there is something to read, or room to write again.
    private let wakeBroker: @Sendable () -> Void
    /// Tells the peer that there is something to read, or that the broker has closed.
    private let wakePeer: @Sendable () -> Void

    init(
        capacity: Int = 1 << 20, wakeBroker: @escaping @Sendable () -> Void,
        wakePeer: @escaping @Sendable () -> Void
    ) {
        self.capacity = capacity
        self.wakeBroker = wakeBroker
        self.wakePeer = wakePeer
    }

    // MARK: The peer's side

    /// Takes as many bytes as there is room for; how many. nil when the broker has closed.
    func peerSend(_ bytes: some Collection<UInt8>) -> Int? {
        let taken = state.withLock { state -> Int? in
            guard !state.brokerClosed else { return nil }
            let room = capacity - (state.toBroker.count - state.toBrokerStart)
            let count = min(room, bytes.count)
            state.toBroker.append(contentsOf: bytes.prefix(count))
            return count
        }
        if taken != nil { wakeBroker() }
        return taken
    }

    /// What the broker has sent since; nil when it has closed and all is read.
    func peerReceive() -> [UInt8]? {
        let (bytes, wakes) = state.withLock { state -> ([UInt8]?, Bool) in
            let bytes = state.toPeer
            state.toPeer = []
            let wakes = state.brokerWaitsForRoom && !bytes.isEmpty
            if wakes { state.brokerWaitsForRoom = false }
            return (bytes.isEmpty && state.brokerClosed ? nil : bytes, wakes)
        }
        if wakes { wakeBroker() }
        return bytes
    }

    func peerClose() {
        state.withLock { $0.peerClosed = true }
        wakeBroker()
    }

    // MARK: The broker's side

    var brokerHasInput: Bool {
        state.withLock { $0.toBroker.count > $0.toBrokerStart || $0.peerClosed }
    }

    @inline(never)
    func brokerReceive(into buffer: MutableBytes, _ count: Int) -> Socket.Outcome {
        state.withLock { state in
            let available = state.toBroker.count - state.toBrokerStart
            guard available > 0 else { return state.peerClosed ? .closed(0) : .wouldBlock }
            let taken = min(available, count)
            unsafe state.toBroker.withUnsafeBufferPointer {
                unsafe buffer.update(from: $0.baseAddress! + state.toBrokerStart, count: taken)
            }
            state.toBrokerStart += taken
            if state.toBrokerStart == state.toBroker.count {
                state.toBroker.removeAll(keepingCapacity: true)
                state.toBrokerStart = 0
            }
            return .bytes(taken)
        }
    }

    @inline(never)
    func brokerSend(_ parts: UnsafeMutablePointer<iovec>, _ count: Int) -> Socket.Outcome {
        let outcome = state.withLock { state -> Socket.Outcome in
            guard !state.peerClosed else { return .closed(EPIPE) }
            var sent = 0
            for i in 0..<count {
                let room = capacity - state.toPeer.count
                let taken = unsafe min(room, parts[i].iov_len)
                let bytes = unsafe parts[i].iov_base!.assumingMemoryBound(to: UInt8.self)
                unsafe state.toPeer.append(
                    contentsOf: UnsafeBufferPointer(start: bytes, count: taken))
                sent += taken
                if unsafe taken < parts[i].iov_len { break }
            }
            guard sent > 0 else {
                state.brokerWaitsForRoom = true
                return .wouldBlock
            }
            return .bytes(sent)
        }
        wakePeer()
        return outcome
    }

    func brokerFinish() {
        state.withLock { $0.brokerClosed = true }
        wakePeer()
    }

    func brokerClose() { brokerFinish() }
}
