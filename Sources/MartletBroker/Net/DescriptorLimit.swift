import Glibc

/// Descriptors that no client gets, however many connect: monitoring, files, and a reload need some.
package enum DescriptorLimit {
    /// Or a quarter of what the process may open, if that is less.
    package static let keptMax = 64

    /// The first that is kept, as the process's limit is now.
    static var firstKept: Int32 {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return .max
        }
        let all = Int(clamping: limit.rlim_cur)
        return Int32(clamping: all - min(keptMax, all / 4))
    }
}
