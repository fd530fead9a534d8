/// Lays out the index of the rules' subjects.
struct SubjectIndexBuilder {
    private struct Key: Hashable {
        var account: Int
        var bytes: [UInt8]
    }

    private var lists: [Key: [(rule: Int, tail: [UInt8])]] = [:]
    private var keys: [Key] = []
    private var depths: UInt64 = 0

    /// Rules are added in the order of their numbers.
    mutating func add(rule: Int, subject: String, account: Int) {
        let tokens = subject.utf8.split(separator: UInt8(ascii: "."))
        let isWildcard = { (token: Substring.UTF8View) in
            token.elementsEqual("*".utf8) || token.elementsEqual(">".utf8)
        }
        var key = Array(subject.utf8)
        var tail: [UInt8] = []
        if let wildcard = tokens.firstIndex(where: isWildcard) {
            depths |= 1 << UInt64(min(wildcard, 63))
            let length = tokens[..<wildcard].reduce(0) { $0 + $1.count + 1 }
            tail = Array(key[length...])
            key.removeSubrange(length...)
        }
        let place = Key(account: account, bytes: key)
        if lists[place] == nil { keys.append(place) }
        lists[place, default: []].append((rule, tail))
    }

    func build() -> SubjectIndex {
        let seed = KeySeed.process
        var size = 16
        while size < keys.count * 2 { size *= 2 }
        var entries = [SubjectEntry](repeating: SubjectEntry(), count: size)
        var candidates: [SubjectCandidate] = []
        var text: [UInt8] = []
        for key in keys {
            var entry = SubjectEntry()
            entry.hash = seed.hash(key.bytes, account: key.account)
            entry.account = Int32(key.account)
            entry.offset = Int32(text.count)
            entry.length = Int32(key.bytes.count)
            entry.first = Int32(candidates.count)
            text += key.bytes
            for (rule, tail) in lists[key] ?? [] {
                candidates.append(
                    SubjectCandidate(
                        rule: Int32(rule), offset: Int32(text.count), length: Int32(tail.count)))
                text += tail
            }
            entry.count = Int32(candidates.count) - entry.first
            var index = Int(entry.hash) & (size - 1)
            while entries[index].count > 0 { index = (index + 1) & (size - 1) }
            entries[index] = entry
        }
        return SubjectIndex(
            entries: Cells(entries), candidates: Cells(candidates), text: Cells(text),
            depths: depths, seed: seed)
    }

    /// What is wrong with a rule's subject, or nil.
    static func problem(with subject: String) -> String? {
        let tokens = subject.utf8.split(
            separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if subject.utf8.count > RuleOutput.subjectBytesMax {
            return "a subject has at most \(RuleOutput.subjectBytesMax) bytes"
        }
        if tokens.contains(where: \.isEmpty) { return "a token is empty: \(subject)" }
        if subject.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
            return "a subject has no spaces and no control characters: \(subject)"
        }
        if tokens.dropLast().contains(where: { $0.elementsEqual(">".utf8) }) {
            return "> is the last token of a subject: \(subject)"
        }
        return nil
    }
}
