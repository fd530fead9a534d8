/// The resources that an evaluation is in, for dynamic references; each way into them has a number,
/// since what a subschema says of a value depends on it.
struct EvaluationScopes {
    private let resources: Cells<Int32>
    /// The number of each way that the evaluation is on.
    private let path: Cells<Int32>
    /// For each way, the one that it continues and the resource that it leads to.
    private let ways: Cells<UInt64>
    private let wayCount: Cells<Int32>

    private static let waysMax = 64
    static let noWay: Int32 = -1

    init() {
        resources = Cells(count: SchemaEvaluator.depthMax + 1, repeating: 0)
        path = Cells(count: SchemaEvaluator.depthMax + 1, repeating: 0)
        ways = Cells(count: Self.waysMax, repeating: 0)
        wayCount = Cells(count: 1, repeating: 0)
    }

    func free() {
        resources.free()
        path.free()
        ways.free()
        wayCount.free()
    }

    func clear() { wayCount[0] = 0 }

    subscript(level: Int) -> Int32 { resources[level] }

    /// The number of the way to the innermost of so many resources; `noWay` if there were too many
    /// ways to number.
    func way(_ count: Int) -> Int32 { count == 0 ? 0 : path[count &- 1] }

    func enter(_ resource: Int32, _ count: inout Int) {
        if count > 0 && resources[count &- 1] == resource { return }
        resources[count] = resource
        path[count] = number(UInt32(truncatingIfNeeded: way(count)), resource)
        count &+= 1
    }

    private func number(_ from: UInt32, _ resource: Int32) -> Int32 {
        let way = UInt64(from) &<< 32 | UInt64(UInt32(truncatingIfNeeded: resource))
        if Int32(truncatingIfNeeded: from) == Self.noWay { return Self.noWay }
        for index in 0..<Int(wayCount[0]) where ways[index] == way { return Int32(index) &+ 1 }
        if Int(wayCount[0]) == Self.waysMax { return Self.noWay }
        ways[Int(wayCount[0])] = way
        wayCount[0] &+= 1
        return wayCount[0]
    }
}
