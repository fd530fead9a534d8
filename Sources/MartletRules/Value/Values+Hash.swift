/// Hashes of values, the same for those that are equal: for `uniqueItems` and large enums.
extension Values {
    /// `stack` has a frame for each level. `work` pays; without any left the hash is of no use.
    func hash(
        _ index: Int, _ seed: KeySeed, _ stack: ValueStack, _ work: inout Work
    ) -> UInt64 {
        var level = 0
        var value = index
        while true {
            let entry = tape[value]
            work.left &-= 1
            var hash: UInt64
            if entry.isContainer {
                stack[level] = ValueFrame(
                    isObject: entry.kind == .object, next: value &+ 1, end: entry.next,
                    hash: UInt64(entry.count))
                level &+= 1
                hash = 0
            } else {
                hash = scalarHash(entry, seed, &work)
                if level == 0 { return hash }
                add(hash, to: level &- 1, seed, stack)
            }
            if work.left < 0 { return 0 }
            // What is complete goes to what it is in.
            while stack[level &- 1].next == stack[level &- 1].end {
                level &-= 1
                hash = Self.combined(stack[level].isObject ? 6 : 5, stack[level].hash, seed)
                if level == 0 { return hash }
                add(hash, to: level &- 1, seed, stack)
            }
            value = step(level &- 1, seed, stack, &work)
        }
    }

    /// The next value in a container.
    private func step(
        _ level: Int, _ seed: KeySeed, _ stack: ValueStack, _ work: inout Work
    ) -> Int {
        var frame = stack[level]
        var value = frame.next
        if frame.isObject {
            frame.key = scalarHash(tape[value], seed, &work)
            value &+= 1
        }
        frame.next = tape.index(after: value)
        stack[level] = frame
        return value
    }

    /// The order of elements counts, that of members does not.
    private func add(_ hash: UInt64, to level: Int, _ seed: KeySeed, _ stack: ValueStack) {
        var frame = stack[level]
        if frame.isObject {
            frame.hash &+= Self.combined(frame.key, hash, seed)
        } else {
            frame.hash = Self.combined(frame.hash, hash, seed)
        }
        stack[level] = frame
    }

    private static func combined(_ first: UInt64, _ second: UInt64, _ seed: KeySeed) -> UInt64 {
        var hash = SipHash(seed)
        hash.add(first)
        hash.add(second)
        return hash.finish()
    }

    private func scalarHash(_ entry: JSONEntry, _ seed: KeySeed, _ work: inout Work) -> UInt64 {
        var hash = SipHash(seed)
        switch entry.kind {
        case .string:
            work.left &-= entry.length &>> 2
            add(characters: entry, to: &hash)
        case .number:
            if entry.isTooLong {
                work.refuse(entry)
                return 0
            }
            work.left &-= entry.length &>> 2
            decimal(entry).add(to: &hash)
        default: hash.add(UInt64(entry.kind.rawValue))
        }
        return hash.finish()
    }

    /// Eight bytes of UTF-8 at a time, and their number.
    private func add(characters entry: JSONEntry, to hash: inout SipHash) {
        var word: UInt64 = 0
        var count = 0
        func add(_ byte: UInt8, _ hash: inout SipHash) {
            word |= UInt64(byte) &<< UInt64((count & 7) &* 8)
            count &+= 1
            if count & 7 == 0 {
                hash.add(word)
                word = 0
            }
        }
        if entry.isEscaped {
            var reader = ScalarReader(bytes, entry)
            while !reader.isAtEnd {
                var (encoded, size) = encodedUTF8(reader.next())
                for _ in 0..<size {
                    add(UInt8(truncatingIfNeeded: encoded), &hash)
                    encoded &>>= 8
                }
            }
        } else {
            for position in entry.offset..<entry.end { add(bytes[position], &hash) }
        }
        hash.add(word)
        hash.add(UInt64(count) &<< 8 | UInt64(JSONKind.string.rawValue))
    }

    // MARK: - Unique elements

    /// Whether no two elements of an array are equal.
    func areUnique(
        _ array: Int, _ table: EntryTable, _ comparison: ValueComparison, _ work: inout Work
    ) -> Bool {
        if tape[array].count < 2 { return true }
        table.forgetAll()
        let end = tape[array].next
        var element = array &+ 1
        while element < end && work.left >= 0 {
            // One half leads to a bucket, the other tells its elements apart.
            let hash = hash(element, comparison.seed, comparison.stack, &work)
            let bucket = UInt32(truncatingIfNeeded: hash)
            let mark = Int(hash &>> 32)
            var other = table.first(bucket)
            while other >= 0 {
                work.left &-= 1
                if table.owner(of: other) == mark,
                    areEqual(other, self, element, comparison, &work)
                {
                    return false
                }
                other = table.next(other)
            }
            table.put(element, of: mark, bucket)
            element = tape.index(after: element)
        }
        return true
    }
}
