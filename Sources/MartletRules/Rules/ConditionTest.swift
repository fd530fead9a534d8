/// One alternative of a condition's clause. `a`, `b` and `c` are said with each kind.
struct ConditionTest: BitwiseCopyable {
    enum Kind: UInt8 {
        /// `a` is the constant's entry.
        case equal
        /// `a` is where the table of many constants begins, `b` how many slots it has, `c` has a bit for
        /// each kind among them.
        case among
        /// `a` is the entry of a string, `b` how many characters it has.
        case prefix, suffix, equalIgnoringCase
        /// `a` is the first of `b` bounds.
        case numeric
        case exists, missing
        /// `a` is the first of `b` tests, none of which may hold.
        case anythingBut
        /// `a` is a pattern.
        case wildcard
    }

    var kind: Kind
    var a: Int32 = 0
    var b: Int32 = 0
    var c: Int32 = 0
}

/// The alternatives for one value.
struct ConditionClause: BitwiseCopyable {
    var slot: Int32
    /// The first of `count` tests.
    var tests: Int32
    var count: Int32
}

/// A comparison with a constant.
struct ConditionBound: BitwiseCopyable {
    enum Order: UInt8 {
        case less, atMost, equal, atLeast, greater
    }

    var order: Order
    /// The constant's entry.
    var entry: Int32

    /// Whether a number that compares so with the constant is within.
    func holds(_ order: Int) -> Bool {
        switch self.order {
        case .less: order < 0
        case .atMost: order <= 0
        case .equal: order == 0
        case .atLeast: order >= 0
        case .greater: order > 0
        }
    }
}
