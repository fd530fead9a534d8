/// The most steps that an honest evaluation may take: so none that takes them all is cut short, and
/// whatever a document is like, it takes no more. A value is seen by each subschema once, however many
/// ways lead to it.
struct SchemaCost: BitwiseCopyable, Sendable {
    /// For each entry of the tape and each byte of the document.
    var perEntry = 1
    var perByte = 1
    /// How often at most a value is looked at as a part of one that is compared or hashed.
    var perLevel = 0

    static let perEntryMax = 1_024
    static let perByteMax = 512

    func steps(_ document: JSONDocument) -> Int {
        steps(entries: document.entryCount, bytes: document.bytes.count)
    }

    /// Twice what was counted, since the evaluation charges a little for what is not counted here.
    @inline(__always)
    func steps(entries: Int, bytes: Int) -> Int {
        4_096 &+ 2 &* (entries &* (perEntry &+ perLevel &+ 8) &+ bytes &* (perByte &+ perLevel))
    }
}

/// Finds which subschemas may see one value together: sets of them, from the schema's own down along
/// members and elements.
struct SchemaCostAnalysis {
    private let graph: SchemaGraph
    private let parts: SchemaParts
    private var known: Set<[Int]> = []
    private var waiting: [[Int]] = []
    private var size = 0
    private(set) var cost = SchemaCost()

    /// Members of sets; with more of them, all subschemas are taken for one set.
    private static let sizeMax = 400_000

    init(_ graph: SchemaGraph, _ parts: SchemaParts, levels: Int) {
        self.graph = graph
        self.parts = parts
        add([graph.root])
        while let set = waiting.popLast(), size <= Self.sizeMax { visit(set) }
        if size > Self.sizeMax {
            cost = SchemaCost()
            count(Array(graph.nodes.indices))
        }
        cost.perLevel *= levels
    }

    private mutating func add(_ schemas: [Int]) {
        if schemas.isEmpty { return }
        var closed: Set<Int> = []
        var rest = schemas
        while let next = rest.popLast() {
            if closed.insert(next).inserted { rest += graph.nodes[next].inPlace }
        }
        let set = closed.sorted()
        if known.insert(set).inserted {
            size += set.count
            waiting.append(set)
        }
    }

    private mutating func visit(_ set: [Int]) {
        count(set)
        let nodes = set.map { graph.nodes[$0] }
        add(nodes.flatMap(\.names))
        let every = nodes.flatMap(\.everyMember)
        let names = Set(nodes.flatMap(\.named.keys))
        for name in names {
            add(every + nodes.flatMap { $0.named[name] ?? $0.unnamed })
        }
        add(every + nodes.flatMap(\.unnamed))
        let everyElement = nodes.flatMap(\.everyElement)
        for place in 0...(nodes.map(\.prefix.count).max() ?? 0) {
            add(
                everyElement
                    + nodes.flatMap { place < $0.prefix.count ? $0.prefix[place] : $0.rest })
        }
    }

    /// What the subschemas of a set take for one value, and for what it directly holds.
    private mutating func count(_ set: [Int]) {
        var found = SchemaCost()
        for schema in set {
            for step in graph.steps[schema] { count(step, &found) }
        }
        cost.perEntry = max(cost.perEntry, found.perEntry)
        cost.perByte = max(cost.perByte, found.perByte)
        cost.perLevel = max(cost.perLevel, found.perLevel)
    }

    private func count(_ step: SchemaStep, _ cost: inout SchemaCost) {
        cost.perEntry += 1
        switch step.operation {
        case .pattern: cost.perByte += parts.patterns[Int(step.a)].workPerCharacter
        case .format, .multipleOf, .minimum, .maximum, .exclusiveMinimum, .exclusiveMaximum:
            cost.perByte += 1
        case .constant: cost.perLevel += 1
        case .oneOfValues:
            cost.perEntry += Int(step.b)
            cost.perByte += 1
            cost.perLevel += Int(step.b)
        case .oneOfManyValues, .uniqueItems: cost.perLevel += 1
        case .members:
            let members = parts.members[Int(step.a)]
            cost.perEntry += 1 + Int(members.patternCount)
            for pair in 0..<Int(members.patternCount) {
                let pattern = parts.operands[Int(members.patterns) + 2 * pair]
                cost.perByte += parts.patterns[Int(pattern)].workPerCharacter
            }
        case .elements, .contains, .unevaluatedItems, .unevaluatedProperties: cost.perEntry += 1
        case .dependentSchemas: cost.perEntry += Int(step.b)
        case .dependentRequired: cost.perEntry += requiredCount(step)
        default: break
        }
    }

    /// Each name that is looked for is a walk over all members.
    private func requiredCount(_ step: SchemaStep) -> Int {
        var place = Int(step.a)
        var count = 0
        for _ in 0..<step.b {
            let names = Int(parts.operands[place + 1])
            count += 1 + names
            place += 2 + names
        }
        return count
    }
}
