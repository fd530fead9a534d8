/// Destinations gathered for one other loop while a message is published; kept and reused.
///
/// SAFETY: `items` holds `capacity` entries, the first `count` of them initialised; one thread.
@safe
struct DestinationList {
    private(set) var items: UnsafeMutablePointer<Destination> = .allocate(capacity: 64)
    private(set) var count = 0
    private var capacity = 64

    @inline(__always)
    mutating func append(_ destination: Destination) {
        if count == capacity { grow() }
        unsafe items[count] = destination
        count &+= 1
    }

    @inline(__always)
    mutating func removeAll() { count = 0 }

    @inline(never)
    private mutating func grow() {
        let grown = UnsafeMutablePointer<Destination>.allocate(capacity: capacity * 2)
        unsafe grown.update(from: items, count: count)
        unsafe items.deallocate()
        unsafe items = grown
        capacity *= 2
    }

    func destroy() { unsafe items.deallocate() }
}
