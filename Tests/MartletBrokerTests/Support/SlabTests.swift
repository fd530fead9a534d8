import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite struct SlabTests {
    @Test(arguments: testSeeds(5))
    func slotsAreTakenOnceAndNeverMove(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var slab = Slab<Int>(budget: MemoryBudget(bytesMax: 1 << 30))
        var live: [Int: StablePointer<Int>] = [:]
        for step in 0..<5_000 {
            if let (index, place) = live.randomElement(using: &random),
                random.oneIn(2) || live.count > 700
            {
                #expect(slab[index] == place)
                live[index] = nil
                slab.give(back: index)
            } else {
                let index = slab.take { $0 }!
                #expect(live[index] == nil, "seed \(seed), step \(step): slot \(index) was in use")
                #expect(slab[index].pointee == index)
                live[index] = slab[index]
            }
            #expect(slab.liveCount == live.count)
            #expect(slab.endIndex > live.keys.max() ?? -1)
        }
        slab.destroy()
    }

    @Test func everySlotCanGoBackAtOnce() {
        var slab = Slab<Int>(budget: MemoryBudget(bytesMax: 1 << 30))
        let taken = (0..<3_000).map { _ in slab.take { $0 }! }
        for index in taken { slab.give(back: index) }
        #expect(slab.liveCount == 0)
        #expect(Set((0..<3_000).map { _ in slab.take { $0 }! }).count == 3_000)
        #expect(slab.endIndex == 3_000)
        slab.destroy()
    }
}
