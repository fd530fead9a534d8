import CMartletSystem
import Glibc
import Synchronization
import Testing

@testable import MartletBroker

@Suite struct MemoryPipeTests {
    private final class Wakeups: Sendable {
        let broker = Atomic<Int>(0)
        let peer = Atomic<Int>(0)
    }

    private func make(_ capacity: Int) -> (MemoryPipe, Wakeups) {
        let wakeups = Wakeups()
        let pipe = MemoryPipe(
            capacity: capacity,
            wakeBroker: { wakeups.broker.wrappingAdd(1, ordering: .relaxed) },
            wakePeer: { wakeups.peer.wrappingAdd(1, ordering: .relaxed) })
        return (pipe, wakeups)
    }

    @Test("what waits in a pipe counts in the budget of the broker that has it")
    func counts() {
        let budget = MemoryBudget(bytesMax: 1 << 20)
        do {
            let (pipe, _) = make(100_000)
            #expect(pipe.peerSend([UInt8](repeating: 1, count: 50_000)[...]) == 50_000)
            #expect(budget.usedBytes == 0)
            pipe.count(in: budget)
            #expect(budget.usedBytes >= 50_000)
            _ = send(pipe, [[UInt8](repeating: 2, count: 90_000)])
            #expect(budget.usedBytes >= 140_000)
            #expect(pipe.peerReceive()?.count == 90_000)
            #expect((50_000..<90_000).contains(budget.usedBytes))
        }
        #expect(budget.usedBytes == 0)
    }

    private func send(_ pipe: MemoryPipe, _ parts: [[UInt8]]) -> WriteOutcome {
        let copies = parts.map { part in
            let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: part.count)
            copy.initialize(from: part, count: part.count)
            return copy
        }
        defer { for copy in copies { copy.deallocate() } }
        var vectors = zip(parts, copies).map { iovec(iov_base: $1, iov_len: $0.count) }
        return pipe.brokerSend(
            &vectors, vectors.count, byteCount: parts.reduce(0) { $0 + $1.count })
    }

    private func receive(_ pipe: MemoryPipe, _ count: Int) -> [UInt8]? {
        let buffer = MutableBytes.allocate(capacity: count)
        defer { buffer.deallocate() }
        guard case .bytes(let n) = pipe.brokerReceive(into: buffer, count) else { return nil }
        return array(buffer, n)
    }

    @Test func bytesComeOutAsTheyWentIn() {
        let (pipe, wakeups) = make(10)
        #expect(pipe.peerSend([1, 2, 3, 4, 5, 6, 7, 8]) == 8)
        #expect(pipe.peerSend([9, 10, 11]) == 2)
        // One wakeup is enough until the broker has looked.
        #expect(wakeups.broker.load(ordering: .relaxed) == 1)
        #expect(receive(pipe, 4) == [1, 2, 3, 4])
        #expect(pipe.peerSend([12]) == 1)
        #expect(receive(pipe, 100) == [5, 6, 7, 8, 9, 10, 12])
        #expect(receive(pipe, 100) == nil)
        guard case .complete = send(pipe, [[1, 2], [3, 4, 5]]) else { return #expect(Bool(false)) }
        #expect(pipe.peerReceive() == [1, 2, 3, 4, 5])
        #expect(pipe.peerReceive() == [])
        #expect(wakeups.peer.load(ordering: .relaxed) == 1)
    }

    /// A short write is one that waits: the broker must hear when there is room.
    @Test func roomAfterAShortWriteIsAnnounced() {
        let (pipe, wakeups) = make(4)
        guard case .wantsWrite(after: 4) = send(pipe, [[1, 2, 3], [4, 5]]) else {
            return #expect(Bool(false))
        }
        #expect(wakeups.broker.load(ordering: .relaxed) == 0)
        #expect(pipe.peerReceive() == [1, 2, 3, 4])
        #expect(wakeups.broker.load(ordering: .relaxed) == 1)
        guard case .complete = send(pipe, [[5]]) else { return #expect(Bool(false)) }
        #expect(pipe.peerReceive() == [5])
        #expect(wakeups.broker.load(ordering: .relaxed) == 1)
    }

    @Test func aClosedPeerIsReadToItsEnd() {
        let (pipe, _) = make(100)
        _ = pipe.peerSend([1, 2])
        pipe.peerClose()
        #expect(pipe.brokerHasInput)
        #expect(receive(pipe, 10) == [1, 2])
        #expect(pipe.brokerHasInput)
        var byte: UInt8 = 0
        guard case .closed(0) = pipe.brokerReceive(into: &byte, 1) else {
            return #expect(Bool(false))
        }
        // What is sent to a peer that is gone vanishes, as in a socket's buffer.
        guard case .complete = send(pipe, [[1]]) else { return #expect(Bool(false)) }
        #expect(pipe.peerReceive() == nil)
    }

    @Test func aClosedBrokerIsReadToItsEnd() {
        let (pipe, wakeups) = make(100)
        _ = send(pipe, [[1, 2]])
        pipe.brokerClose()
        #expect(wakeups.peer.load(ordering: .relaxed) == 2)
        #expect(pipe.peerSend([1]) == nil)
        #expect(pipe.peerReceive() == [1, 2])
        #expect(pipe.peerReceive() == nil)
    }
}
