import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite struct SubscriptionTableTests {
    @Test(arguments: testSeeds(10))
    func findsWhatADictionaryFinds(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let budget = MemoryBudget(bytesMax: 1 << 26)
        let pool = BlockPool(budget: budget)
        var slab = Slab<Subscription>(budget: budget)
        var table = SubscriptionTable()
        var model: [String: Int] = [:]
        let sids = (0..<400).map { random.oneIn(8) ? "a-long-sid-\($0)" : "\($0)" }
        for step in 0..<4_000 {
            let sid = random.pick(sids)
            let bytes = Array(sid.utf8)
            let found = table.find(bytes, bytes.count, in: slab)
            #expect(
                found.map { Int($0.pointee.index) } == model[sid],
                "seed \(seed), step \(step): \(sid)")
            if let found, random.oneIn(2) {
                table.remove(found, pool: pool)
                pool.free(found.pointee.names!, found.pointee.nameBytes)
                slab.give(back: Int(found.pointee.index))
                model[sid] = nil
            } else if found == nil, random.below(5) > 1 {
                let record = slab[slab.take { Subscription(index: $0) }!]
                let names = Array(" \(sid) ".utf8)
                record.pointee.spacedSIDCount = UInt32(names.count)
                record.pointee.take(names: pool.allocate(names.count)!)
                record.pointee.names!.update(from: names, count: names.count)
                try table.insert(record, pool: pool, seed: seed)
                model[sid] = Int(record.pointee.index)
            }
            #expect(Int(table.count) == model.count)
        }
        var all: Set<Int> = []
        table.forEach(in: slab) { all.insert(Int($0.pointee.index)) }
        #expect(all == Set(model.values))
        table.release(pool)
        #expect(table.count == 0 && table.find([49], 1, in: slab) == nil)
        slab.destroy()
        pool.destroy()
    }
}
