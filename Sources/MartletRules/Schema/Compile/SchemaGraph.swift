/// Which subschemas of a compiled schema lead to which others, for what is to be known of all its
/// evaluations before there is one.
struct SchemaGraph {
    /// What one subschema leads to.
    struct Node {
        /// For the same value.
        var inPlace: [Int] = []
        /// For the members with a name, and for those that have no schema by their names.
        var named: [String: [Int]] = [:]
        var unnamed: [Int] = []
        /// For all members, whatever they are called; and for their names.
        var everyMember: [Int] = []
        var names: [Int] = []
        /// For the elements at a place, for those behind, and for all.
        var prefix: [[Int]] = []
        var rest: [Int] = []
        var everyElement: [Int] = []

        var children: [Int] {
            named.values.flatMap { $0 } + unnamed + everyMember + names + prefix.flatMap { $0 }
                + rest + everyElement
        }
    }

    private(set) var nodes: [Node] = []
    /// The steps of each.
    private(set) var steps: [[SchemaStep]] = []
    private let parts: SchemaParts
    /// Subschemas that are the same: the first that has the steps.
    private var canonical: [Int] = []

    init(_ parts: SchemaParts) {
        self.parts = parts
        var firsts: [Int32: Int] = [:]
        for (number, start) in parts.starts.enumerated() {
            canonical.append(firsts[start.step, default: number])
            firsts[start.step] = canonical[number]
        }
        for start in parts.starts {
            var own: [SchemaStep] = []
            var index = Int(start.step)
            while parts.steps[index].operation != .end {
                own.append(parts.steps[index])
                index += 1
            }
            steps.append(own)
            var node = Node()
            for step in own { add(step, to: &node) }
            nodes.append(node)
        }
    }

    var root: Int { canonical[0] }

    private func schema(_ number: Int32) -> [Int] { number < 0 ? [] : [canonical[Int(number)]] }

    private func operands(_ step: SchemaStep, every stride: Int = 1, from first: Int = 0) -> [Int] {
        (0..<Int(step.b)).flatMap {
            schema(parts.operands[Int(step.a) + stride * $0 + first])
        }
    }

    private func add(_ step: SchemaStep, to node: inout Node) {
        switch step.operation {
        case .allOf, .anyOf, .oneOf: node.inPlace += operands(step)
        case .not, .reference: node.inPlace += schema(step.a)
        case .condition: node.inPlace += schema(step.a) + schema(step.b) + schema(step.c)
        case .dependentSchemas: node.inPlace += operands(step, every: 2, from: 1)
        case .dynamicReference:
            node.inPlace += schema(step.a)
            for index in stride(from: 0, to: parts.dynamicAnchors.count, by: 3)
            where parts.dynamicAnchors[index + 1] == step.b {
                node.inPlace += schema(parts.dynamicAnchors[index + 2])
            }
        case .contains: node.everyElement += schema(step.a)
        case .unevaluatedItems: node.everyElement += schema(step.a)
        case .unevaluatedProperties: node.everyMember += schema(step.a)
        case .elements:
            node.prefix = operands(step).map { [$0] }
            node.rest += schema(step.c)
        case .members: add(parts.members[Int(step.a)], to: &node)
        default: break
        }
    }

    private func add(_ members: SchemaMembers, to node: inout Node) {
        for slot in parts.slots[Int(members.table)...].prefix(Int(members.tableCount))
        where slot.nameOffset >= 0 {
            let name = parts.names[Int(slot.nameOffset)...].prefix(Int(slot.nameLength))
            let schema = schema(slot.schema)
            node.named[String(decoding: name, as: UTF8.self), default: []] += schema
        }
        for pair in 0..<Int(members.patternCount) {
            node.everyMember += schema(parts.operands[Int(members.patterns) + 2 * pair + 1])
        }
        node.unnamed += schema(members.additional)
        node.names += schema(members.names)
    }

    // MARK: - Depth

    /// How many subschemas may be within each other for a document of so many levels; with dynamic
    /// references that depends on the document.
    func depth(levels: Int, atMost: Int) -> Int {
        let order = inPlaceOrder()
        var before = [Int](repeating: 0, count: nodes.count)
        for _ in 0...levels {
            var now = [Int](repeating: 0, count: nodes.count)
            for node in order {
                let same = nodes[node].inPlace.reduce(0) { max($0, now[$1]) }
                now[node] = 1 + nodes[node].children.reduce(same) { max($0, before[$1]) }
            }
            if now == before || now[root] > atMost { return now[root] }
            before = now
        }
        return before[root]
    }

    /// Each subschema behind those that it applies in place.
    private func inPlaceOrder() -> [Int] {
        var order: [Int] = []
        var isSeen = [Bool](repeating: false, count: nodes.count)
        for start in nodes.indices where !isSeen[start] {
            isSeen[start] = true
            var path: [(node: Int, next: Int)] = [(start, 0)]
            while let (node, next) = path.last {
                guard next < nodes[node].inPlace.count else {
                    order.append(node)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let other = nodes[node].inPlace[next]
                if !isSeen[other] {
                    isSeen[other] = true
                    path.append((other, 0))
                }
            }
        }
        return order
    }
}
