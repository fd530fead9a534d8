/// What a walk through a value remembers of the containers that it is within, so that it does not
/// recurse: one for each level that a scan lets pass.
struct ValueStack {
    private let frames: Cells<ValueFrame>

    init(depth: Int) {
        frames = Cells(count: depth, repeating: ValueFrame())
    }

    func free() { frames.free() }

    @inline(__always)
    subscript(level: Int) -> ValueFrame {
        get { frames[level] }
        nonmutating set { frames[level] = newValue }
    }
}

/// A container that a walk is within.
struct ValueFrame: BitwiseCopyable {
    var isObject = false
    /// What comes next, and what is behind the last.
    var next = 0
    var end = 0
    /// What comes next in the container that it is compared with, and that container.
    var otherNext = 0
    var other = 0
    /// Of what it held so far, and of the key of what comes.
    var hash: UInt64 = 0
    var key: UInt64 = 0
}
