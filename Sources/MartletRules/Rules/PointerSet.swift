/// The pointers that the parts of rules use, numbered as they come. When all are compiled, the set
/// becomes a tree that finds all values in one walk.
public struct PointerSet: Sendable {
    /// The pointers, each once.
    public private(set) var pointers: [JSONPointer] = []

    /// An empty set.
    public init() {}

    /// Where the pointer's value will be among the slots.
    public mutating func slot(of pointer: JSONPointer) -> Int {
        if let known = pointers.firstIndex(of: pointer) { return known }
        pointers.append(pointer)
        return pointers.count - 1
    }

    /// The tree that finds all of them in one walk.
    public func tree() throws(RuleError) -> PointerTree { try PointerTree(pointers) }
}
