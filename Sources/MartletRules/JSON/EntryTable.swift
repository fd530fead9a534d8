/// Entries of a tape by hash: for the keys of large objects and for unique elements. Forgetting all
/// is one addition.
///
/// Those of a bucket are a list: whoever cannot guess the seed of the hash cannot make it longer than
/// chance does, whatever values are chosen. Hashes of keys differ, but those of keys in a row may lie in
/// a row, so that their bits are mixed before they choose a bucket.
struct EntryTable {
    /// The first entry of each bucket: the epoch in the high half, the entry in the low one.
    private let heads: Cells<UInt64>
    /// For each entry of the tape the next one in its bucket in the low half, what it belongs to in the
    /// high one.
    private let links: Cells<UInt64>
    private let epoch: Cells<UInt32>
    private let shift: UInt32

    private static let end = UInt32.max

    /// For at most `entries` at once, of a tape of `tapeCount`.
    init(entries: Int, tapeCount: Int) {
        var bits: UInt32 = 4
        while 1 << bits < entries { bits += 1 }
        shift = 32 - bits
        heads = Cells(count: 1 << bits, repeating: 0)
        links = Cells(count: tapeCount, repeating: 0)
        epoch = Cells(count: 1, repeating: 0)
    }

    func free() {
        heads.free()
        links.free()
        epoch.free()
    }

    @inline(__always)
    func forgetAll() {
        if epoch[0] == .max { clear() }
        epoch[0] &+= 1
    }

    @inline(never)
    private func clear() {
        for i in 0..<heads.count { heads[i] = 0 }
        epoch[0] = 0
    }

    /// Mixed as MurmurHash3 does at its end.
    @inline(__always)
    private func bucket(_ hash: UInt32) -> Int {
        var mixed = (hash ^ hash &>> 16) &* 0x85EB_CA6B
        mixed = (mixed ^ mixed &>> 13) &* 0xC2B2_AE35
        return Int((mixed ^ mixed &>> 16) &>> shift)
    }

    /// The first entry that may have the hash, or -1.
    @inline(__always)
    func first(_ hash: UInt32) -> Int {
        let found = heads[bucket(hash)]
        return UInt32(truncatingIfNeeded: found &>> 32) == epoch[0]
            ? Self.entry(UInt32(truncatingIfNeeded: found)) : -1
    }

    /// The next one in the bucket of an entry, or -1.
    @inline(__always)
    func next(_ entry: Int) -> Int { Self.entry(UInt32(truncatingIfNeeded: links[entry])) }

    @inline(__always)
    private static func entry(_ link: UInt32) -> Int { link == end ? -1 : Int(link) }

    @inline(__always)
    func owner(of entry: Int) -> Int { Int(links[entry] &>> 32) }

    /// An entry is put once.
    @inline(__always)
    func put(_ entry: Int, of owner: Int, _ hash: UInt32) {
        let next = first(hash)
        let link = next < 0 ? Self.end : UInt32(truncatingIfNeeded: next)
        links[entry] = UInt64(truncatingIfNeeded: owner) &<< 32 | UInt64(link)
        heads[bucket(hash)] = UInt64(epoch[0]) &<< 32 | UInt64(truncatingIfNeeded: entry)
    }
}
