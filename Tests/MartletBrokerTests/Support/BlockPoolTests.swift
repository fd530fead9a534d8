import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite struct BlockPoolTests {
    @Test func sizesArePowersOfTwo() {
        for (wanted, capacity) in [
            (1, 32), (32, 32), (33, 64), (4_096, 4_096), (4_097, 8_192), (65_537, 131_072),
        ] {
            #expect(BlockPool.capacity(for: wanted) == capacity)
        }
    }

    /// Every block is the caller's alone: each is filled, and still has its bytes when it is freed.
    @Test(arguments: testSeeds(10))
    func blocksDoNotOverlap(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let budget = MemoryBudget(bytesMax: 1 << 30)
        let pool = BlockPool(budget: budget)
        var live: [(block: UnsafeMutableRawPointer, count: Int, mark: UInt8)] = []
        for step in 0..<3_000 {
            if live.count > 200 || !live.isEmpty && random.oneIn(2) {
                let i = random.below(live.count)
                let (block, count, mark) = live.remove(at: i)
                let bytes = UnsafeRawBufferPointer(start: block, count: count)
                #expect(bytes.allSatisfy { $0 == mark }, "seed \(seed), step \(step)")
                pool.free(block, count)
            } else {
                let count = 1 + random.below(random.pick([32, 100, 5_000, 200_000]))
                let block = pool.allocate(count)!
                #expect(Int(bitPattern: block) % 32 == 0)
                let mark = UInt8(truncatingIfNeeded: step)
                block.initializeMemory(as: UInt8.self, repeating: mark, count: count)
                live.append((block, count, mark))
            }
        }
        for (block, count, _) in live { pool.free(block, count) }
        #if DEBUG
        #expect(pool.liveBytes == 0)
        #endif
        pool.destroy()
        #expect(budget.usedBytes == 0, "seed \(seed)")
    }

    @Test func aFreedBlockIsTheNextOne() {
        let pool = BlockPool(budget: MemoryBudget(bytesMax: 1 << 20))
        for count in [40, 4_000, 100_000] {
            let block = pool.allocate(count)!
            pool.free(block, count)
            #expect(pool.allocate(count) == block)
            pool.free(block, count)
        }
        pool.destroy()
    }

    /// What served small blocks serves large ones when memory is short, whatever is still in use.
    @Test(arguments: testSeeds(10))
    func idleSlabsGoBackWhenTheyAreSorted(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let budget = MemoryBudget(bytesMax: 16 << 20)
        let pool = BlockPool(budget: budget)
        let size = random.pick([32, 64, 500, 4_096, 32_768])
        var blocks: [UnsafeMutableRawPointer] = []
        while let block = pool.allocate(size) { blocks.append(block) }
        let full = budget.usedBytes
        #expect(full > 15 << 20)
        blocks.shuffle(using: &random)
        // A few stay: each keeps its slab.
        let kept = random.below(20)
        for block in blocks.dropFirst(kept) { pool.free(block, size) }
        #expect(budget.usedBytes == full)
        #expect(pool.allocate(8 << 20) == nil)
        var live: [UnsafeMutableRawPointer] = Array(blocks.prefix(kept))
        var pieces = 0
        repeat {
            pool.sortIdleBlocks(atMost: 1 + random.below(1_000))
            pieces += 1
            // Others go on meanwhile, and find blocks without new memory.
            if random.oneIn(2), live.count < kept + 20 {
                let block = pool.allocateOverBudget(size)!
                #expect(!live.contains(block))
                live.append(block)
            } else if let block = live.popLast() {
                pool.free(block, size)
            }
        } while pool.isSorting && pieces < 1_000_000
        #expect(budget.usedBytes <= (kept + 40) << 16, "MARTLET_SEED=\(seed)")
        let large = pool.allocate(8 << 20)
        #expect(large != nil, "MARTLET_SEED=\(seed)")
        if let large { pool.free(large, 8 << 20) }
        // What was put back serves again.
        for _ in 0..<1_000 { live.append(pool.allocate(size)!) }
        #expect(Set(live).count == live.count)
        for block in live { pool.free(block, size) }
        #if DEBUG
        #expect(pool.liveBytes == 0)
        #endif
        pool.destroy()
        #expect(budget.usedBytes == 0, "MARTLET_SEED=\(seed)")
    }

    @Test func idleBlocksOverTheLimitGoBack() {
        let budget = MemoryBudget(bytesMax: 1 << 30)
        let pool = BlockPool(budget: budget)
        let size = 8 << 20
        let blocks = (0..<20).map { _ in pool.allocate(size)! }
        #expect(budget.usedBytes == 20 * size)
        for block in blocks { pool.free(block, size) }
        #expect(budget.usedBytes == BlockPool.idleBytesMax)
        pool.destroy()
        #expect(budget.usedBytes == 0)
    }

    @Test("what lies idle from one look to the next goes back, and its addresses serve again")
    func unusedBlocksGoBack() {
        let budget = MemoryBudget(bytesMax: 1 << 30)
        let pool = BlockPool(budget: budget)
        let size = 1 << 20
        // More than the pool reserves addresses for.
        for round in 0..<100 {
            let blocks = (0..<70).map { _ in pool.allocate(size)! }
            for block in blocks {
                block.initializeMemory(as: UInt8.self, repeating: UInt8(round), count: size)
            }
            for block in blocks { pool.free(block, size) }
            #expect(pool.giveBackUnused(), "nothing has been idle since the last look")
            let used = budget.usedBytes
            let one = pool.allocate(size)!
            pool.free(one, size)
            #expect(!pool.giveBackUnused(), "what is left is kept")
            #expect(used > 60 << 20, "round \(round)")
            #expect(budget.usedBytes == BlockPool.unusedBytesKept, "round \(round)")
            #expect(!pool.giveBackUnused())
            #expect(budget.usedBytes == BlockPool.unusedBytesKept)
        }
        pool.destroy()
        #expect(budget.usedBytes == 0)
    }

    @Test func idleBlocksMakeRoomForOtherSizes() {
        let budget = MemoryBudget(bytesMax: 1 << 20)
        let pool = BlockPool(budget: budget)
        let blocks = (0..<8).map { _ in pool.allocate(128 << 10)! }
        #expect(pool.allocate(64 << 10) == nil)
        for block in blocks { pool.free(block, 128 << 10) }
        let large = pool.allocate(1 << 20)
        #expect(large != nil)
        #expect(budget.usedBytes == 1 << 20)
        pool.free(large!, 1 << 20)
        pool.destroy()
    }

    @Test func aSpentBudgetIsExceededOnlyWhereItMustBe() {
        let budget = MemoryBudget(bytesMax: 64 << 10)
        let pool = BlockPool(budget: budget)
        var small = 0
        while pool.allocate(32) != nil { small += 1 }
        // One slab, less its header.
        #expect(small == (64 << 10) / 32 - 2)
        #expect(pool.allocateOverBudget(32) != nil)
        #expect(budget.usedBytes == 128 << 10)
        #expect(pool.allocate(4 << 30) == nil)
        pool.destroy()
        #expect(budget.usedBytes == 0)
    }
}
