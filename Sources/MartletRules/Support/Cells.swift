/// A block of values whose number never changes: what a scan and an evaluation write to.
///
/// SAFETY: whoever makes one keeps it alive while copies are in use and gives it back once. Indices
/// come from counts that were checked against `count` when the block was filled; debug builds check
/// each one.
@safe
struct Cells<Element: BitwiseCopyable>: BitwiseCopyable, @unchecked Sendable {
    private let base: UnsafeMutablePointer<Element>
    let count: Int

    init(count: Int, repeating value: Element) {
        self.count = count
        unsafe base = .allocate(capacity: max(count, 1))
        unsafe base.initialize(repeating: value, count: count)
    }

    init(_ elements: [Element]) {
        count = elements.count
        unsafe base = .allocate(capacity: max(elements.count, 1))
        for (index, element) in elements.enumerated() {
            unsafe (base + index).initialize(to: element)
        }
    }

    func free() {
        unsafe base.deallocate()
    }

    @inline(__always)
    subscript(index: Int) -> Element {
        get {
            assert(index >= 0 && index < count)
            return unsafe base[index]
        }
        nonmutating set {
            assert(index >= 0 && index < count)
            unsafe base[index] = newValue
        }
    }

    @inline(__always)
    @unsafe var start: UnsafeMutablePointer<Element> { unsafe base }
}
