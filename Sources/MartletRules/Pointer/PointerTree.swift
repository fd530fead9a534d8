/// The values that pointers name, found in one walk over the tape. All pointers of the rules that a
/// message can meet are one tree, so that each of them is a slot.
///
/// SAFETY: the nodes never change after `init`; whoever owns the tree frees it after the last use.
public final class PointerTree: Sendable {
    private let nodes: Cells<PointerNode>
    private let hashes: Cells<UInt32>
    private let names: Cells<UInt8>
    /// The pointers, in the order of their slots.
    public let pointers: [JSONPointer]
    private let seed: KeySeed
    /// Names that a key of one object is compared with, at most.
    private let widest: Int

    /// Levels of the deepest pointer.
    private static let depthMax = 64

    /// Equal pointers share a slot.
    public init(_ pointers: [JSONPointer]) throws(RuleError) {
        var unique: [JSONPointer] = []
        for pointer in pointers where !unique.contains(pointer) { unique.append(pointer) }
        for pointer in unique where pointer.tokens.count > Self.depthMax {
            throw RuleError("a JSON Pointer has at most \(Self.depthMax) parts: \(pointer)")
        }
        self.pointers = unique
        seed = .process
        var builder = PointerTreeBuilder(seed: seed)
        builder.build(unique)
        nodes = Cells(builder.nodes)
        hashes = Cells(builder.nodes.map(\.hash))
        widest = builder.nodes.reduce(0) { max($0, Int($1.childrenEnd - $1.firstChild)) }
        names = Cells(builder.names)
    }

    deinit {
        nodes.free()
        hashes.free()
        names.free()
    }

    /// Where a pointer's value is found; nil for a pointer that is not in the tree.
    public func slotIndex(of pointer: JSONPointer) -> Int? { pointers.firstIndex(of: pointer) }

    /// Steps of about ten instructions that a search takes at most.
    func steps(_ document: JSONDocument) -> Int {
        (document.entryCount &* (widest &+ 4)) &>> 3 &+ pointers.count
    }

    /// Finds every pointer's value; `slots` has room for one each.
    @unsafe public func find(
        in document: JSONDocument, into slots: UnsafeMutablePointer<JSONSlot>
    ) {
        for index in 0..<pointers.count { unsafe slots[index] = .missing }
        unsafe visit(0, 0, document, slots)
    }

    private func visit(
        _ node: Int, _ entry: Int, _ document: JSONDocument,
        _ slots: UnsafeMutablePointer<JSONSlot>
    ) {
        let slot = Int(nodes[node].slot)
        if slot >= 0 { unsafe slots[slot] = document.slot(entry) }
        let children = Int(nodes[node].firstChild)..<Int(nodes[node].childrenEnd)
        if children.isEmpty { return }
        let container = document.entry(entry)
        if container.kind == .object {
            unsafe visitMembers(of: entry, container, children, document, slots)
        } else if container.kind == .array {
            unsafe visitElements(of: entry, container, children, document, slots)
        }
    }

    private func visitMembers(
        of object: Int, _ container: JSONEntry, _ children: Range<Int>, _ document: JSONDocument,
        _ slots: UnsafeMutablePointer<JSONSlot>
    ) {
        var left = children.count
        var key = object &+ 1
        while key < container.next && left > 0 {
            let hash = document.tape[key].hash
            for child in children where hashes[child] == hash && isNamed(child, key, document) {
                unsafe visit(child, key &+ 1, document, slots)
                left &-= 1
                break
            }
            key = document.tape.index(after: key &+ 1)
        }
    }

    private func visitElements(
        of array: Int, _ container: JSONEntry, _ children: Range<Int>, _ document: JSONDocument,
        _ slots: UnsafeMutablePointer<JSONSlot>
    ) {
        // In order of their indices.
        var element = array &+ 1
        var index = 0
        for child in children {
            let wanted = Int(nodes[child].index)
            if wanted < 0 { continue }
            if wanted >= container.count { return }
            while index < wanted {
                element = document.tape.index(after: element)
                index &+= 1
            }
            unsafe visit(child, element, document, slots)
        }
    }

    /// Not inlined, so that keys that no pointer names cost no more than a look at their hash.
    @inline(never)
    private func isNamed(_ child: Int, _ key: Int, _ document: JSONDocument) -> Bool {
        let key = document.tape[key]
        let name = nodes[child]
        let bytes = unsafe Bytes(UnsafePointer(names.start), count: names.count)
        let wanted = JSONEntry(
            offset: Int(name.nameOffset), length: Int(name.nameLength), kind: .string)
        if key.isEscaped {
            return isSame(key, document.bytes, as: wanted, bytes)
        }
        return key.length == wanted.length
            && document.bytes.areEqual(key.offset, bytes, wanted.offset, length: key.length)
    }
}

/// Whether an escaped string reads as plain bytes, which are not escaped even if they hold a
/// backslash.
func isSame(_ escaped: JSONEntry, _ bytes: Bytes, as plain: JSONEntry, _ plainBytes: Bytes) -> Bool
{
    var reader = ScalarReader(bytes, escaped)
    var position = plain.offset
    while !reader.isAtEnd {
        var (encoded, count) = encodedUTF8(reader.next())
        for _ in 0..<count {
            guard position < plain.end && plainBytes[position] == UInt8(truncatingIfNeeded: encoded)
            else { return false }
            encoded &>>= 8
            position &+= 1
        }
    }
    return position == plain.end
}

struct PointerNode: BitwiseCopyable {
    var hash: UInt32 = 0
    var nameOffset: Int32 = 0
    var nameLength: Int32 = 0
    /// The token as an array's index, or -1.
    var index: Int32 = -1
    var slot: Int32 = -1
    var firstChild: Int32 = 0
    var childrenEnd: Int32 = 0
}

/// Lays a tree out level by level, so that the children of a node stand side by side.
private struct PointerTreeBuilder {
    let seed: KeySeed
    var nodes: [PointerNode] = [PointerNode()]
    var names: [UInt8] = []

    init(seed: KeySeed) {
        self.seed = seed
    }

    mutating func build(_ pointers: [JSONPointer]) {
        var level: [(node: Int, members: [Int])] = [(0, Array(pointers.indices))]
        var depth = 0
        while !level.isEmpty {
            var below: [(node: Int, members: [Int])] = []
            for (node, members) in level {
                for member in members where pointers[member].tokens.count == depth {
                    nodes[node].slot = Int32(member)
                }
                let deeper = members.filter { pointers[$0].tokens.count > depth }
                let groups = Dictionary(grouping: deeper) { pointers[$0].tokens[depth] }
                nodes[node].firstChild = Int32(nodes.count)
                for token in groups.keys.sorted(by: Self.precedes) {
                    below.append((nodes.count, groups[token] ?? []))
                    nodes.append(makeNode(token))
                }
                nodes[node].childrenEnd = Int32(nodes.count)
            }
            level = below
            depth += 1
        }
    }

    /// Indices go up.
    private static func precedes(_ a: String, _ b: String) -> Bool {
        (index(of: a), a) < (index(of: b), b)
    }

    private static func index(of token: String) -> Int32 {
        let digits = Array(token.utf8)
        guard let first = digits.first, digits.count == 1 || first != UInt8(ascii: "0") else {
            return -1
        }
        guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return -1
        }
        return Int32(token) ?? -1
    }

    private mutating func makeNode(_ token: String) -> PointerNode {
        let bytes = Array(token.utf8)
        let offset = names.count
        names += bytes
        return PointerNode(
            hash: seed.hash(bytes), nameOffset: Int32(offset), nameLength: Int32(bytes.count),
            index: Self.index(of: token))
    }
}
