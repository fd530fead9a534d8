import Glibc

/// Bytes that are added at the end and taken from the front, in one block that grows.
///
/// SAFETY: `start <= end <= capacity`, and the block is the queue's alone until `deallocate`.
@safe struct ByteQueue {
    private(set) var block: UnsafeMutablePointer<UInt8>
    private(set) var start = 0
    private(set) var end = 0
    private var capacity: Int

    init(capacity: Int) {
        unsafe block = .allocate(capacity: capacity)
        self.capacity = capacity
    }

    var count: Int { end &- start }
    var first: UnsafeMutablePointer<UInt8> { unsafe block + start }

    /// Room for at least `count` bytes at the end.
    @inline(__always)
    mutating func room(for count: Int) -> UnsafeMutablePointer<UInt8> {
        if end &+ count > capacity { makeRoom(count) }
        return unsafe block + end
    }

    var roomLeft: Int { capacity &- end }

    @inline(__always)
    mutating func add(_ count: Int) { end &+= count }

    @inline(__always)
    mutating func append(_ bytes: UnsafePointer<UInt8>, _ count: Int) {
        unsafe memcpy(room(for: count), bytes, count)
        end &+= count
    }

    @inline(__always)
    mutating func take(_ count: Int) {
        start &+= count
        if start == end {
            start = 0
            end = 0
        }
    }

    private mutating func makeRoom(_ wanted: Int) {
        let kept = count
        if kept + wanted <= capacity / 2 {
            unsafe memmove(block, block + start, kept)
        } else {
            capacity = max(2 * capacity, 2 * (kept + wanted))
            let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
            unsafe memcpy(grown, block + start, kept)
            unsafe block.deallocate()
            unsafe block = unsafe grown
        }
        start = 0
        end = kept
    }

    func deallocate() { unsafe block.deallocate() }
}
