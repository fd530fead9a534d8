import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite struct SlabPoolTests {
    @Test("blocks are apart, and all memory goes back with them", arguments: testSeeds(10))
    func blocks(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let budget = MemoryBudget(bytesMax: 1 << 30)
        let pool = SlabPool(budget: budget)
        var blocks: [(UnsafeMutableRawPointer, Int, UInt8)] = []
        func free(at i: Int) {
            blocks.swapAt(i, blocks.count - 1)
            let (block, count, mark) = blocks.removeLast()
            let bytes = UnsafeRawBufferPointer(start: block, count: count)
            #expect(bytes.allSatisfy { $0 == mark }, "seed \(seed)")
            pool.free(block, count)
        }
        for _ in 0..<3_000 {
            let count = 1 + (random.oneIn(50) ? random.below(40_000) : random.below(400))
            let mark = UInt8(truncatingIfNeeded: random.next())
            let block = try pool.allocate(count)
            block.initializeMemory(as: UInt8.self, repeating: mark, count: count)
            blocks.append((block, count, mark))
            if random.oneIn(3) { free(at: random.below(blocks.count)) }
        }
        let most = budget.usedBytes
        #expect(most > pool.liveBytes)
        while !blocks.isEmpty { free(at: random.below(blocks.count)) }
        #expect(pool.liveBytes == 0)
        // Two slabs of each size are kept.
        #expect(budget.usedBytes <= 9 * 2 << 16)
        pool.destroy()
        #expect(budget.usedBytes == 0)
    }
}
