import CMartletSystem
import Glibc
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("The pipe between a loop and a client", .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct InProcessPipeTests {
    private struct Wakes {
        var broker = 0
        var peer = 0
        var room = 0
    }

    /// A pipe that counts how often each side is woken.
    private final class Counted: Sendable {
        let wakes = Guarded(Wakes())
        let pipe: MemoryPipe

        init(capacity: Int) {
            let hooks = Hooks()
            pipe = MemoryPipe(
                capacity: capacity, wakeBroker: { hooks.call(0) }, wakePeer: { hooks.call(1) },
                makeRoomKnown: { hooks.call(2) })
            hooks.set { [weak self] which in
                self?.wakes.withLock {
                    switch which {
                    case 0: $0.broker += 1
                    case 1: $0.peer += 1
                    default: $0.room += 1
                    }
                }
            }
        }

        func receive(_ count: Int) -> [UInt8]? {
            unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: count) { buffer in
                switch unsafe pipe.brokerReceive(into: buffer.baseAddress!, count) {
                case .bytes(let received): unsafe Array(buffer[..<received])
                case .wantsRead: []
                case .closed: nil
                }
            }
        }

        func send(_ parts: [[UInt8]]) -> WriteOutcome {
            var joined = parts.joined().map(\.self)
            let counts = parts.map(\.count)
            return unsafe joined.withUnsafeMutableBytes { bytes in
                var offset = 0
                var vectors = unsafe counts.map { count in
                    defer { offset += count }
                    return unsafe iovec(iov_base: bytes.baseAddress! + offset, iov_len: count)
                }
                return unsafe pipe.brokerSend(
                    &vectors, counts.count, byteCount: counts.reduce(0, +))
            }
        }
    }

    private final class Hooks: Sendable {
        private let hook = Guarded<(@Sendable (Int) -> Void)?>(nil)
        func set(_ new: @escaping @Sendable (Int) -> Void) { hook.withLock { $0 = new } }
        func call(_ which: Int) { hook.withLock { $0 }?(which) }
    }

    @Test("the broker is woken once for what it has not seen, not for each write")
    func wakesOnce() {
        let counted = Counted(capacity: 100)
        for i in 0..<10 { #expect(counted.pipe.peerSend([UInt8(i)][...]) == 1) }
        #expect(counted.wakes.withLock { $0.broker } == 1)
        #expect(counted.receive(4) == [0, 1, 2, 3])
        _ = counted.pipe.peerSend([10][...])
        #expect(counted.wakes.withLock { $0.broker } == 1, "it has not read to the end yet")
        #expect(counted.receive(100)?.count == 7)
        _ = counted.pipe.peerSend([11][...])
        #expect(counted.wakes.withLock { $0.broker } == 2)
    }

    @Test("a full pipe takes no more, and tells the writer when there is room")
    func fullToBroker() {
        let counted = Counted(capacity: 10)
        #expect(counted.pipe.peerSend(pattern(15)[...]) == 10)
        #expect(counted.pipe.peerSend([1][...]) == 0)
        #expect(counted.wakes.withLock { $0.room } == 0)
        #expect(counted.receive(3) == Array(pattern(10)[..<3]))
        #expect(counted.wakes.withLock { $0.room } == 1)
        #expect(counted.pipe.peerSend(pattern(15)[10...]) == 3)
        #expect(counted.receive(100) == Array(pattern(13)[3...]))
    }

    @Test("a short write to the peer is followed by a wake-up once the peer has read")
    func fullToPeer() {
        let counted = Counted(capacity: 10)
        guard case .wantsWrite(after: 10) = counted.send([pattern(4), pattern(4), pattern(4)])
        else {
            Issue.record("the pipe holds ten bytes")
            return
        }
        #expect(counted.pipe.peerReceive()?.count == 10)
        #expect(counted.wakes.withLock { $0.broker } == 1)
        #expect(counted.pipe.peerReceive() == [])
        #expect(counted.wakes.withLock { $0.broker } == 1)
    }

    @Test("what both sides move arrives in order and whole, however they cut it", arguments: 0..<8)
    func randomCuts(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let counted = Counted(capacity: 257)
        let bytes = pattern(50_000, seed: Int(seed))
        var sent = 0
        var received: [UInt8] = []
        while received.count < bytes.count {
            let end = min(bytes.count, sent + random.below(400))
            sent += counted.pipe.peerSend(bytes[sent..<end])!
            received += counted.receive(1 + random.below(300))!
        }
        #expect(received == bytes)
    }

    @Test("a pipe that is never empty does not grow")
    func boundedMemory() {
        let counted = Counted(capacity: 1_000)
        let chunk = pattern(500)
        _ = counted.pipe.peerSend(chunk[...])
        var most = 0
        for _ in 0..<20_000 {
            _ = counted.pipe.peerSend(chunk[...])
            _ = counted.receive(500)
            most = max(most, counted.pipe.state.withLock { $0.toBroker.count })
        }
        #expect(most <= 2_000)
        #expect(counted.pipe.brokerHasInput)
    }

    @Test("after the peer has closed, the broker reads the rest, then the end")
    func peerCloses() {
        let counted = Counted(capacity: 10)
        _ = counted.pipe.peerSend([1, 2, 3][...])
        counted.pipe.peerClose()
        #expect(counted.pipe.peerSend([4][...]) == nil)
        #expect(counted.pipe.peerReceive() == nil)
        guard case .complete = counted.send([pattern(20)]) else {
            Issue.record("what nobody reads is thrown away")
            return
        }
        #expect(counted.receive(10) == [1, 2, 3])
        #expect(counted.pipe.brokerHasInput)
        #expect(counted.receive(10) == nil)
    }

    @Test("after the broker has closed, the peer reads the rest, then the end")
    func brokerCloses() {
        let counted = Counted(capacity: 10)
        _ = counted.send([[1, 2]])
        counted.pipe.brokerClose()
        #expect(counted.wakes.withLock { $0.room } == 1 && counted.wakes.withLock { $0.peer } == 2)
        #expect(counted.pipe.peerSend([4][...]) == nil)
        #expect(counted.pipe.peerReceive() == [1, 2])
        #expect(counted.pipe.peerReceive() == nil)
    }
}
