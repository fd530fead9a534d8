import Glibc

/// Address space for the largest thing that may ever be needed, of which only pages that were touched
/// take memory: a buffer that can grow without moving.
///
/// SAFETY: `bytes` is valid for `byteCount` bytes from `init` to `release()`, which the owner calls once,
/// when nothing points in there any more.
@safe
struct ReservedMemory {
    let bytes: MutableBytes
    let byteCount: Int

    /// Zeroed. Throws what the system says where an address limit of the process is reached.
    init(byteCount: Int) throws(SystemFailure) {
        let pages = unsafe mmap(
            nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
            0)
        guard let pages = unsafe pages, unsafe pages != MAP_FAILED else {
            throw SystemFailure("mmap")
        }
        unsafe bytes = pages.assumingMemoryBound(to: UInt8.self)
        self.byteCount = byteCount
    }

    func release() {
        unsafe munmap(bytes, byteCount)
    }
}
