/// The pointers that the parts of rules use, numbered as they come. When all are compiled, the set
/// becomes a tree that finds all values in one walk.
public struct PointerSet: Sendable {
    public private(set) var pointers: [JSONPointer] = []

    public init() {}

    /// Where the pointer's value will be among the slots.
    public mutating func slot(of pointer: JSONPointer) -> Int {
        if let known = pointers.firstIndex(of: pointer) { return known }
        pointers.append(pointer)
        return pointers.count - 1
    }

    public func tree() throws(RuleError) -> PointerTree { try PointerTree(pointers) }
}
