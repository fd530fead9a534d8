import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite struct SubscriptionListTests {
    @Test("it holds what an array holds, in one piece and in segments", arguments: testSeeds(4))
    func holdsWhatAnArrayHolds(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let budget = MemoryBudget(bytesMax: 1 << 28)
        let pool = SlabPool(budget: budget)
        var slab = Slab<Subscription>(budget: budget)
        let records = (0..<6_000).map { _ in slab[slab.take { Subscription(index: $0) }!] }
        var list = SubscriptionList()
        var model: [SubscriptionRef] = []
        var free = records
        for target in [3, 400, 5_900, 900, 513, 512, 511, 4_000, 0, 2_000, 0] {
            while model.count != target {
                if model.count < target {
                    let record = free.removeLast()
                    try list.append(record, pool: pool)
                    model.append(record)
                } else {
                    let position = random.below(model.count)
                    free.append(model[position])
                    list.remove(model[position], pool: pool)
                    model.swapAt(position, model.count - 1)
                    model.removeLast()
                }
            }
            #expect(Int(list.count) == target)
            #expect((0..<target).allSatisfy { list[$0] == model[$0] }, "seed \(seed), \(target)")
            // No more than is in use, and a little.
            #expect(pool.liveBytes <= (target * 2 + 2_048) * 8)
        }
        #expect(pool.liveBytes == 0)
        pool.destroy()
        slab.destroy()
    }
}
