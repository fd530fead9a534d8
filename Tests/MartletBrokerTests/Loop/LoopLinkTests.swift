import MartletTestSupport
import Synchronization
import Testing

@testable import MartletBroker

@Suite struct LoopLinkTests {
    private final class Ends: @unchecked Sendable {
        // SAFETY: the source's side is used by the source's thread, the target's by the test's.
        let order = StablePointer(allocating: BatchOrder())
        let link: LoopLinkRef
        let pool = BlockPool(budget: MemoryBudget(bytesMax: 1 << 30))
        let isDone = Atomic<Bool>(false)
        let waits = Atomic<Int>(0)
        let mayGoOn = Atomic<Bool>(true)

        init() {
            link = StablePointer(
                allocating: LoopLink(loopCount: 2, memoryBytesMax: 1 << 30, order: order))
        }

        func destroy() {
            order.destroy()
            link.pointee.destroy(pool: pool)
            link.destroy()
            pool.destroy()
        }
    }

    /// Numbers of random sizes cross from one thread to another: all of them, in order; and a source that
    /// has to wait is always told when to go on.
    @Test(arguments: testSeeds(3))
    func everythingCrossesInOrder(seed: UInt64) throws {
        let ends = Ends()
        let last = 40_000
        let source = try NativeThread(name: "source") {
            var random = SeededRandom(seed: seed)
            for number in 1...last {
                let words = 2 + random.below(random.pick([4, 400, 40_000]))
                let place = ends.link.pointee.reserve(
                    words * 8, payloadBytes: 0, pool: ends.pool)!
                place.storeBytes(of: words, as: Int.self)
                place.storeBytes(of: number, toByteOffset: 8, as: Int.self)
                (place + (words - 1) * 8).storeBytes(of: number, as: Int.self)
                guard random.oneIn(10) || number == last else { continue }
                _ = ends.link.pointee.post()
                ends.mayGoOn.store(false, ordering: .sequentiallyConsistent)
                guard ends.link.pointee.mustWait() else { continue }
                ends.waits.wrappingAdd(1, ordering: .relaxed)
                while !ends.mayGoOn.load(ordering: .acquiring) {}
            }
            ends.isDone.store(true, ordering: .releasing)
        }
        var expected = 1
        var isFinal = false
        while true {
            var next = ends.link.pointee.takePosted()
            if next == nil, isFinal { break }
            isFinal = ends.isDone.load(ordering: .acquiring)
            while let batch = next {
                next = batch.pointee.next
                var place = batch.block + Batch.headerBytes
                let end = batch.block + batch.pointee.used
                while place < end {
                    let words = place.load(as: Int.self)
                    guard (place + (words - 1) * 8).load(as: Int.self) == expected else {
                        Issue.record("seed \(seed): \(expected) is not where it should be")
                        return
                    }
                    expected += 1
                    place += words * 8
                }
                if ends.link.pointee.giveBack(batch) {
                    ends.mayGoOn.store(true, ordering: .releasing)
                }
            }
        }
        source.join()
        #expect(expected == last + 1, "seed \(seed)")
        let left = ends.link.pointee.bytesInFlight.load(ordering: .relaxed)
        #expect(left == 0)
        ends.destroy()
    }

    @Test func aStackThatManyPushOnLosesNothing() throws {
        final class Shared: @unchecked Sendable {
            // SAFETY: the stack is made for this.
            let stack: UnsafeMutablePointer<BatchStack> = .allocate(capacity: 1)
            init() { stack.initialize(to: BatchStack()) }
        }
        let shared = Shared()
        let perThread = 20_000
        let threads = try (0..<3).map { thread in
            try NativeThread(name: "pusher") {
                for i in 0..<perThread {
                    let batch = StablePointer(
                        allocating: Batch(next: nil, blockBytes: thread, used: i))
                    shared.stack.pointee.push(batch)
                }
            }
        }
        var count = 0
        // Of one thread, a later batch comes before an earlier one within one taking.
        while count < 3 * perThread {
            var last = [Int.max, Int.max, Int.max]
            var next = shared.stack.pointee.takeAll()
            while let batch = next {
                next = batch.pointee.next
                #expect(batch.pointee.used < last[batch.pointee.blockBytes])
                last[batch.pointee.blockBytes] = batch.pointee.used
                batch.destroy()
                count += 1
            }
        }
        for thread in threads { thread.join() }
        let rest = shared.stack.pointee.takeAll()
        #expect(rest == nil)
        shared.stack.deallocate()
    }

    @Test func anEmptyLinkHasNothingToPost() {
        let ends = Ends()
        let before = ends.link.pointee.post()
        _ = ends.link.pointee.reserve(64, payloadBytes: 0, pool: ends.pool)!
        let once = ends.link.pointee.post()
        let twice = ends.link.pointee.post()
        #expect(!before && once && !twice)
        ends.destroy()
    }
}
