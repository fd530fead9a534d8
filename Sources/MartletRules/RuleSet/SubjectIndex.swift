/// Finds the rules that are for a subject. Literal subjects are keys of a hash table; so is what
/// stands before the first wildcard of the others, and behind each such prefix is a list of those
/// that begin with it. A look costs one pass over the subject, whatever the number of rules.
///
/// Only the configuration puts keys into the table, and its seed is secret: who publishes can choose a
/// subject, but not one that meets more than its share of the keys.
///
/// SAFETY: the cells never change after they are built; the set owns them and frees them once.
struct SubjectIndex: BitwiseCopyable, Sendable {
    let entries: Cells<SubjectEntry>
    let candidates: Cells<SubjectCandidate>
    /// The keys, and what stands behind them in subjects with wildcards.
    let text: Cells<UInt8>
    /// A bit for each number of tokens that a prefix has; the last one is for all that have more.
    let depths: UInt64
    let seed: KeySeed

    func free() {
        entries.free()
        candidates.free()
        text.free()
    }

    /// The rule with the lowest number above `after` that is for the subject, or -1.
    func first(for subject: Bytes, account: Int, after: Int) -> Int {
        var best = Int32.max
        var hash = seed.start(account: account)
        var depth: UInt64 = 0
        if depths & 1 != 0 { look(hash, subject, 0, account, after, &best) }
        for position in 0..<subject.count {
            let byte = subject[position]
            hash = seed.next(hash, byte)
            if byte == UInt8(ascii: ".") {
                depth = min(depth &+ 1, 63)
                if depths &>> depth & 1 != 0 {
                    look(hash, subject, position &+ 1, account, after, &best)
                }
            }
        }
        look(hash, subject, subject.count, account, after, &best)
        return best == .max ? -1 : Int(best)
    }

    /// The key is the subject's first `length` bytes.
    @inline(__always)
    private func look(
        _ hash: UInt64, _ subject: Bytes, _ length: Int, _ account: Int, _ after: Int,
        _ best: inout Int32
    ) {
        let mask = entries.count &- 1
        let wanted = UInt32(truncatingIfNeeded: hash &>> 32)
        var index = Int(wanted) & mask
        while true {
            let entry = entries[index]
            if entry.count == 0 { return }
            if entry.hash == wanted && Int(entry.account) == account && Int(entry.length) == length
                && subject.areEqual(0, bytes, Int(entry.offset), length: length)
            {
                choose(entry, subject, length, after, &best)
                return
            }
            index = (index &+ 1) & mask
        }
    }

    private func choose(
        _ entry: SubjectEntry, _ subject: Bytes, _ length: Int, _ after: Int, _ best: inout Int32
    ) {
        for index in Int(entry.first)..<Int(entry.first &+ entry.count) {
            let candidate = candidates[index]
            // In the order of their numbers.
            if candidate.rule >= best { return }
            if Int(candidate.rule) > after && matches(candidate, subject, length) {
                best = candidate.rule
                return
            }
        }
    }

    private var bytes: Bytes { unsafe Bytes(UnsafePointer(text.start), count: text.count) }

    /// Whether the subject from a place on is as the candidate says; both begin with a token there.
    private func matches(_ candidate: SubjectCandidate, _ subject: Bytes, _ start: Int) -> Bool {
        let end = Int(candidate.offset &+ candidate.length)
        var pattern = Int(candidate.offset)
        var position = start
        while pattern < end {
            let isOneByte = pattern &+ 1 == end || text[pattern &+ 1] == UInt8(ascii: ".")
            if isOneByte && text[pattern] == UInt8(ascii: ">") { return position < subject.count }
            if isOneByte && text[pattern] == UInt8(ascii: "*") {
                let begin = position
                while position < subject.count && subject[position] != UInt8(ascii: ".") {
                    position &+= 1
                }
                if position == begin { return false }
                pattern &+= 1
            } else {
                while pattern < end && text[pattern] != UInt8(ascii: ".") {
                    guard position < subject.count && subject[position] == text[pattern] else {
                        return false
                    }
                    position &+= 1
                    pattern &+= 1
                }
            }
            if pattern == end { break }
            guard position < subject.count && subject[position] == UInt8(ascii: ".") else {
                return false
            }
            position &+= 1
            pattern &+= 1
        }
        return position == subject.count
    }
}

/// A key, and which candidates it leads to. An entry without any is free.
struct SubjectEntry: BitwiseCopyable {
    var hash: UInt32 = 0
    var account: Int32 = 0
    var offset: Int32 = 0
    var length: Int32 = 0
    var first: Int32 = 0
    var count: Int32 = 0
}

/// A rule, and what its subject says behind the key; nothing for a literal one.
struct SubjectCandidate: BitwiseCopyable {
    var rule: Int32
    var offset: Int32
    var length: Int32
}

extension KeySeed {
    @inline(__always)
    fileprivate func start(account: Int) -> UInt64 {
        secret &+ UInt64(truncatingIfNeeded: account) &* 0x9E37_79B9_7F4A_7C15
    }

    @inline(__always)
    fileprivate func next(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
        (hash ^ UInt64(byte)) &* factor
    }

    func hash(_ key: some Sequence<UInt8>, account: Int) -> UInt32 {
        UInt32(
            truncatingIfNeeded: key.reduce(start(account: account)) { next($0, $1) } &>> 32)
    }
}
