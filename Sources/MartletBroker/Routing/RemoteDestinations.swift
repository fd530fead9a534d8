/// Destinations of one message on other loops, by loop, and which loops those are: a broker with many
/// loops must not look at all of them for every message.
///
/// SAFETY: three arrays of `loopsMax` entries, indexed by a destination's loop, which is below it;
/// one thread.
@safe
struct RemoteDestinations {
    let lists: UnsafeMutablePointer<GrowableBuffer<Destination>>
    /// The loops that have had a destination since `removeAll`, the first `loopCount`.
    let loops: UnsafeMutablePointer<Int>
    private(set) var loopCount = 0
    private let isAmong: UnsafeMutablePointer<Bool>
    private let loopsMax: Int

    init(loopCount: Int) {
        loopsMax = loopCount
        unsafe lists = .allocate(capacity: loopCount)
        for i in 0..<loopCount { unsafe (lists + i).initialize(to: GrowableBuffer()) }
        unsafe loops = .allocate(capacity: loopCount)
        unsafe isAmong = .allocate(capacity: loopCount)
        unsafe isAmong.initialize(repeating: false, count: loopCount)
    }

    @inline(__always)
    mutating func append(_ destination: Destination) {
        let loop = Int(destination.loop)
        assert(loop < loopsMax)
        unsafe lists[loop].appendIfRoom(destination)
        guard unsafe !isAmong[loop] else { return }
        unsafe isAmong[loop] = true
        unsafe loops[loopCount] = loop
        loopCount &+= 1
    }

    @inline(__always)
    mutating func removeAll() {
        for i in 0..<loopCount { unsafe isAmong[loops[i]] = false }
        loopCount = 0
    }

    func destroy() {
        for i in 0..<loopsMax { unsafe lists[i].destroy() }
        unsafe lists.deallocate()
        unsafe loops.deallocate()
        unsafe isAmong.deallocate()
    }
}
