import Glibc

/// A match that visits more nodes than anybody may wait for: it goes on a piece at a time, and the tree's lock
/// is held for each piece only. A loop has one at a time.
///
/// SAFETY: as `Miss`. From its first piece to the last one the tree frees no node.
@safe
struct LongMatch {
    private let miss: Miss
    private var hasBegun = false

    init(of subject: CountedBytes, in space: SubjectSpaceRef) {
        miss = Miss(subject, in: space)
    }

    /// Goes on for so many nodes. The route when all are visited, valid until the cache is asked again; it is
    /// what the tree held while the match went on, whatever came and went meanwhile. Without memory for it, the
    /// match is over.
    mutating func advance(
        nodesMax: Int, in cache: MatchCache
    ) throws(OutOfMemory) -> StablePointer<Route>? {
        cache.releaseUnkept()
        let matching = cache.longMatching
        let space = miss.space
        unsafe pthread_mutex_lock(space.pointee.lock)
        let contents = space.pointee.contents
        if !hasBegun { hasBegun = contents.pointee.tree.begin(&matching.pointee) }
        guard hasBegun,
            unsafe contents.pointee.tree.advance(
                &matching.pointee, miss.subject.start, miss.subject.count, nodesMax: nodesMax)
        else {
            unsafe pthread_mutex_unlock(space.pointee.lock)
            return nil
        }
        let found = cache.takeRoute(of: contents.pointee.tree, space, matching)
        contents.pointee.tree.end()
        contents.pointee.matches += 1
        unsafe pthread_mutex_unlock(space.pointee.lock)
        hasBegun = false
        matching.pointee.trim()
        guard let (held, isKept) = found else { throw OutOfMemory() }
        return cache.keep(
            held, isKept, of: miss, dependsOnLastToken: matching.pointee.dependsOnLastToken)
    }

    /// Nobody wants to know any more.
    func abandon() {
        guard hasBegun else { return }
        let space = miss.space
        unsafe pthread_mutex_lock(space.pointee.lock)
        // Apart: as one expression the compiler fails on it under the thread sanitizer.
        let contents = space.pointee.contents
        contents.pointee.tree.end()
        unsafe pthread_mutex_unlock(space.pointee.lock)
    }
}
