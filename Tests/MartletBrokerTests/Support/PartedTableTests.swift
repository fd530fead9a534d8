import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite struct PartedTableTests {
    /// A key and its hash, which a test chooses.
    private struct Entry: TableEntry, Equatable {
        let hash: UInt32
        let key: UInt32

        static var empty: Entry { Entry(hash: 0, key: .max) }
        var isEmpty: Bool { key == .max }
    }

    /// Blocks of the heap, and the largest that was asked for.
    private final class Heap: TableMemory {
        private(set) var liveBytes = 0
        private(set) var largestBytes = 0
        /// More is not given.
        var bytesMax = Int.max

        func allocate(tableOf byteCount: Int) throws(OutOfMemory) -> UnsafeMutableRawPointer {
            guard liveBytes + byteCount <= bytesMax else { throw OutOfMemory() }
            liveBytes += byteCount
            largestBytes = max(largestBytes, byteCount)
            return .allocate(byteCount: byteCount, alignment: 16)
        }

        func free(_ block: UnsafeMutableRawPointer, _ byteCount: Int) {
            liveBytes -= byteCount
            block.deallocate()
        }
    }

    private func all(_ table: PartedTable<Entry>) -> [UInt32] {
        var keys: [UInt32] = []
        table.visitAll { keys.append($0.key) }
        return keys.sorted()
    }

    @Test("it holds what a dictionary holds, whole and in parts", arguments: testSeeds(6))
    func holdsWhatADictionaryHolds(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let heap = Heap()
        var table = PartedTable<Entry>()
        var model: [UInt32: UInt32] = [:]
        let keyCount = random.oneIn(2) ? 200 : 12_000
        for step in 0..<40_000 {
            let key = UInt32(random.below(keyCount))
            // Hashes that meet, in the lower and in the upper bits.
            let hash = key % 50 == 0 ? key % 64 : key &* 0x9E37_79B1
            let found = table.find(hash) { $0.key == key }
            #expect(found?.key == model[key], "seed \(seed), step \(step)")
            if found == nil {
                try table.insert(Entry(hash: hash, key: key), from: heap)
                model[key] = key
            } else if random.oneIn(step < 20_000 ? 4 : 1) {
                table.remove(hash, where: { $0.key == key }, to: heap)
                model[key] = nil
            }
            #expect(Int(table.count) == model.count)
        }
        #expect(all(table) == model.keys.sorted())
        table.release(to: heap)
        #expect(heap.liveBytes == 0 && table.count == 0 && all(table) == [])
    }

    @Test(
        "emptied one by one it gives every entry once, and all its memory", arguments: [7, 9_000])
    func emptiesOneByOne(entryCount: Int) throws {
        var random = SeededRandom(seed: 1)
        let heap = Heap()
        var table = PartedTable<Entry>()
        for key in 0..<UInt32(entryCount) {
            try table.insert(
                Entry(hash: UInt32(truncatingIfNeeded: random.next()), key: key), from: heap)
        }
        let entries = all(table)
        #expect(entries.count == entryCount)
        var taken: Set<UInt32> = []
        var hashes: [UInt32: UInt32] = [:]
        table.visitAll { hashes[$0.key] = $0.hash }
        var cursor = PartedTable<Entry>.Cursor()
        while let entry = table.removeNext(&cursor, to: heap) {
            #expect(taken.insert(entry.key).inserted)
            // Others are taken out in between.
            let other = UInt32(random.below(entryCount))
            if random.oneIn(3), !taken.contains(other) {
                table.remove(hashes[other]!, where: { $0.key == other }, to: heap)
                taken.insert(other)
            }
        }
        #expect(taken.count == entryCount)
        #expect(table.count == 0 && heap.liveBytes == 0)
    }

    @Test("a cursor knows when all that is before it has other places")
    func outdatedCursor() throws {
        let heap = Heap()
        var table = PartedTable<Entry>()
        for key in 0..<4 as Range<UInt32> {
            try table.insert(Entry(hash: key, key: key), from: heap)
        }
        var cursor = PartedTable<Entry>.Cursor()
        #expect(!cursor.isOutdated(for: table))
        _ = table.next(&cursor)
        #expect(!cursor.isOutdated(for: table))
        try table.insert(Entry(hash: 4, key: 4), from: heap)
        #expect(cursor.isOutdated(for: table), "it has grown")
        cursor = .init()
        _ = table.next(&cursor)
        for key in 5...PartedTable<Entry>.wholeMax {
            try table.insert(Entry(hash: key &* 0x9E37_79B1, key: key), from: heap)
        }
        #expect(cursor.isOutdated(for: table), "it has parts now")
        table.release(to: heap)
    }

    @Test("no insertion into a table of half a million moves much")
    func growsInSmallSteps() throws {
        var random = SeededRandom(seed: 1)
        let heap = Heap()
        var table = PartedTable<Entry>()
        for key in 0..<500_000 as Range<UInt32> {
            try table.insert(
                Entry(hash: UInt32(truncatingIfNeeded: random.next()), key: key), from: heap)
        }
        // What is asked for at once is what is filled at once.
        #expect(heap.largestBytes <= 64 << 10)
        #expect(heap.liveBytes <= 500_000 * 8 * 5)
        table.release(to: heap)
    }

    @Test(
        "without memory nothing is put in, and what is there stays",
        arguments: [3, 2_047, 2_048, 9_000])
    func withoutMemory(entryCount: Int) throws {
        var random = SeededRandom(seed: 2)
        let heap = Heap()
        var table = PartedTable<Entry>()
        var key: UInt32 = 0
        func entry() -> Entry { Entry(hash: UInt32(truncatingIfNeeded: random.next()), key: key) }
        while table.count < entryCount {
            try table.insert(entry(), from: heap)
            key += 1
        }
        var refusals = 0
        heap.bytesMax = heap.liveBytes
        for _ in 0..<3_000 {
            let before = table.count
            do throws(OutOfMemory) {
                try table.insert(entry(), from: heap)
                key += 1
                #expect(table.count == before + 1)
            } catch {
                refusals += 1
                #expect(table.count == before && heap.liveBytes <= heap.bytesMax)
            }
        }
        #expect(refusals > 0)
        #expect(all(table) == Array(0..<key))
        table.release(to: heap)
        #expect(heap.liveBytes == 0)
    }
}
