import MartletTestSupport
import Synchronization
import Testing

@testable import MartletBroker

@Suite struct OutboundQueueTests {
    /// A queue as a connection has it, and the frames that it should hold.
    private struct Bench {
        struct Frame {
            var bytes: [UInt8]
            var isMessage: Bool
            var sid = ""
            /// Without control line and the last CR LF.
            var contentBytes: Int { bytes.count - 2 - (bytes.firstIndex(of: 10)! + 1) }
            /// How many of its bytes have been sent.
            var sent = 0
        }

        let pool = BlockPool(budget: MemoryBudget(bytesMax: 1 << 30))
        let returns = ReturnStack()
        var queue = OutboundQueue()
        var firstUnsentFrame = 0
        var frames: [Frame] = []
        /// Of the messages that `drop_old` has thrown away, and of those that it should have.
        var dropped: [String] = []
        var expectedDrops: [String] = []

        mutating func append(_ bytes: [UInt8], isMessage: Bool, sid: String = "") {
            let room = queue.reserve(bytes.count, pool: pool)!
            room.update(from: bytes, count: bytes.count)
            queue.commit(bytes.count)
            frames.append(Frame(bytes: bytes, isMessage: isMessage, sid: sid))
        }

        mutating func appendMessage(_ size: Int, _ random: inout SeededRandom) {
            let sid = random.pick(["1", "22", "x.y"])
            let reply = random.oneIn(3) ? "r " : ""
            let line =
                random.oneIn(3)
                ? "HMSG a.b \(sid) \(reply)0 \(size)\r\n" : "MSG a.b \(sid) \(reply)\(size)\r\n"
            append(Array(line.utf8) + random.bytes(size) + [13, 10], isMessage: true, sid: sid)
        }

        /// A control line in a chunk and a payload that is shared, from `start` on.
        mutating func appendLarge(_ payload: PayloadRef, from start: Int) {
            let count = payload.pointee.count
            append(Array("MSG a.b 1 \(count - 2 - start)\r\n".utf8), isMessage: true, sid: "1")
            let isAppended = queue.append(payload, from: start, pool: pool)
            #expect(isAppended)
            frames[frames.count - 1].bytes += array(
                PayloadBuffer.bytes(payload) + start, count - start)
        }

        /// As the flush does it.
        mutating func send(_ count: Int) {
            if count == queue.pendingBytes {
                firstUnsentFrame = 0
            } else {
                firstUnsentFrame = queue.firstFrame(after: count, startingFrom: firstUnsentFrame)
            }
            queue.consume(count, pool: pool, returns: returns)
            var left = count
            while left > 0 {
                let step = min(left, frames[0].bytes.count - frames[0].sent)
                frames[0].sent += step
                left -= step
                if frames[0].sent == frames[0].bytes.count { frames.removeFirst() }
            }
        }

        mutating func dropOldest(freeing wanted: Int) -> (dropped: Int, expected: Int) {
            let dropped = queue.dropOldest(
                freeing: wanted, firstFrame: firstUnsentFrame, pool: pool, returns: returns
            ) { self.dropped.append(text($0) + " \($1)") }
            var freed = 0
            var expected = 0
            var kept: [Frame] = []
            for frame in frames {
                if frame.isMessage, frame.sent == 0, freed < wanted {
                    freed += frame.bytes.count
                    expected += 1
                    expectedDrops.append(frame.sid + " \(frame.contentBytes)")
                } else {
                    kept.append(frame)
                }
            }
            frames = kept
            return (dropped, expected)
        }

        var content: [UInt8] {
            var all: [UInt8] = []
            var next = queue.head
            while let segment = next {
                let start = Int(segment.pointee.start)
                all += array(segment.pointee.bytes + start, Int(segment.pointee.end) - start)
                next = segment.pointee.next
            }
            return all
        }

        var expectedContent: [UInt8] { frames.flatMap { $0.bytes[$0.sent...] } }

        mutating func destroy() {
            queue.removeAll(pool: pool, returns: returns)
            pool.destroy()
            returns.destroy()
        }
    }

    @Test(arguments: testSeeds(80))
    func holdsWhatAModelHolds(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var bench = Bench()
        let payloads = (0..<3).map { i in
            let payload = PayloadBuffer.make(
                20_000 + i * 7_000, pool: bench.pool, owner: bench.returns)!
            for j in 0..<payload.pointee.count {
                PayloadBuffer.bytes(payload)[j] = UInt8(truncatingIfNeeded: j &* 31)
            }
            return payload
        }
        for step in 0..<300 {
            switch random.below(10) {
            case 0...3: bench.appendMessage(random.below(random.pick([10, 300, 9_000])), &random)
            case 4:
                bench.append(
                    Array(
                        random.pick([
                            "PONG\r\n", "+OK\r\n", "PING\r\n", "-ERR 'Invalid Subject'\r\n",
                            "INFO {} \r\n",
                            "HMSG r 1 33 33\r\nNATS/1.0 503\r\nNats-Subject: a\r\n\r\n\r\n",
                        ]).utf8), isMessage: false)
            case 5: bench.appendLarge(random.pick(payloads), from: random.pick([0, 0, 12, 500]))
            case 6...7:
                let pending = bench.queue.pendingBytes
                if pending > 0 {
                    bench.send(1 + random.below(random.oneIn(4) ? pending : min(pending, 3_000)))
                }
            default:
                let result = bench.dropOldest(
                    freeing: 1 + random.below(random.pick([50, 5_000, 60_000])))
                #expect(result.dropped == result.expected, "seed \(seed), step \(step)")
                #expect(bench.dropped == bench.expectedDrops, "seed \(seed), step \(step)")
            }
            guard bench.content == bench.expectedContent else {
                Issue.record(
                    "seed \(seed), step \(step): \(bench.content.count) bytes, not \(bench.expectedContent.count)"
                )
                break
            }
            #expect(bench.queue.pendingBytes == bench.expectedContent.count)
        }
        bench.send(bench.queue.pendingBytes)
        #expect(bench.queue.head == nil && bench.queue.tail == nil)
        for payload in payloads {
            #expect(payload.pointee.references.load(ordering: .relaxed) == 1, "seed \(seed)")
            PayloadBuffer.release(payload, on: bench.returns, pool: bench.pool)
        }
        #if DEBUG
        #expect(bench.pool.liveBytes == 0, "seed \(seed): blocks were left")
        #endif
        bench.destroy()
    }

    @Test func emptyItHoldsNoMemory() {
        var bench = Bench()
        #expect(bench.queue.isEmpty)
        bench.append([1, 2, 3], isMessage: false)
        #expect(!bench.queue.isEmpty)
        bench.send(3)
        #expect(bench.queue.isEmpty && bench.queue.head == nil)
        bench.destroy()
    }

    @Test func aFrameIsContiguous() {
        var bench = Bench()
        var random = SeededRandom(seed: 1)
        for _ in 0..<40 { bench.appendMessage(3_000, &random) }
        var cursor = OutboundQueue.Cursor(bench.queue.head)
        var count = 0
        while let frame = cursor.frame() {
            #expect(frame.isMessage)
            #expect(cursor.offset + frame.byteCount <= Int(cursor.segment!.pointee.end))
            cursor.skip(frame.byteCount)
            count += 1
        }
        #expect(count == 40)
        bench.destroy()
    }

    @Test func aSpentBudgetRefusesAndMustNotLose() {
        let budget = MemoryBudget(bytesMax: 128 << 10)
        let pool = BlockPool(budget: budget)
        let returns = ReturnStack()
        var queue = OutboundQueue()
        var written = 0
        while let room = queue.reserve(4_000, pool: pool) {
            room.initialize(repeating: 7, count: 4_000)
            queue.commit(4_000)
            written += 4_000
        }
        #expect(written > 0 && written < 128 << 10)
        let room = queue.reserveOverBudget(100_000, pool: pool)!
        room.initialize(repeating: 7, count: 100_000)
        queue.commit(100_000)
        #expect(queue.pendingBytes == written + 100_000)
        #expect(budget.usedBytes > budget.bytesMax)
        queue.removeAll(pool: pool, returns: returns)
        pool.destroy()
        #expect(budget.usedBytes == 0)
        returns.destroy()
    }

    /// `drop_old` copies what it keeps; where there is no memory for that, nothing changes.
    @Test func dropOldestWithoutMemoryChangesNothing() {
        let budget = MemoryBudget(bytesMax: 256 << 10)
        let pool = BlockPool(budget: budget)
        let returns = ReturnStack()
        var queue = OutboundQueue()
        let frame = Array("MSG a 1 5000\r\n".utf8) + [UInt8](repeating: 1, count: 5_000) + [13, 10]
        while let room = queue.reserve(frame.count, pool: pool) {
            room.update(from: frame, count: frame.count)
            queue.commit(frame.count)
        }
        queue.consume(100, pool: pool, returns: returns)
        let pending = queue.pendingBytes
        // Fill what small blocks are left, so that the copy of the first frame's rest has no room.
        var fillers: [UnsafeMutableRawPointer] = []
        while let block = pool.allocate(8_192) { fillers.append(block) }
        while let block = pool.allocate(4_096) { fillers.append(block) }
        var sids: [String] = []
        let dropped = queue.dropOldest(
            freeing: 1, firstFrame: frame.count - 100, pool: pool, returns: returns
        ) { sid, _ in sids.append(text(sid)) }
        #expect(sids == Array(repeating: "1", count: dropped))
        if dropped == 0 { #expect(queue.pendingBytes == pending) }
        queue.removeAll(pool: pool, returns: returns)
        #if DEBUG
        #expect(pool.liveBytes == fillers.count * 8_192 || pool.liveBytes < fillers.count * 8_192)
        #endif
        pool.destroy()
        #expect(budget.usedBytes == 0)
        returns.destroy()
    }
}
