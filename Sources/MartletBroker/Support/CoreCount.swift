import CMartletSystem
import Glibc

/// How many cores the process may use: those that its affinity names, or as many as the quota of its control
/// group is worth, if that is less.
package enum CoreCount {
    package static let usable = max(1, min(allowed, quota ?? .max))

    /// Of the affinity of this thread, which threads that it starts inherit.
    private static var allowed: Int {
        let count = Int(martlet_allowed_cores())
        return count > 0 ? count : sysconf(Int32(_SC_NPROCESSORS_ONLN))
    }

    /// Of the control group as the process sees it, which in a container is its own.
    private static var quota: Int? {
        if let text = text(of: "/sys/fs/cgroup/cpu.max") { return cores(ofQuota: text) }
        guard let quota = text(of: "/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
            let period = text(of: "/sys/fs/cgroup/cpu/cpu.cfs_period_us")
        else { return nil }
        return cores(ofQuota: quota + " " + period)
    }

    /// Of "max 100000" or "150000 100000": a quota and a period in microseconds. None without a quota, which
    /// older kernels write as -1.
    static func cores(ofQuota text: String) -> Int? {
        let numbers = text.split(whereSeparator: \.isWhitespace).map { Int($0) }
        guard numbers.count == 2, let quota = numbers[0], let period = numbers[1],
            quota > 0, period > 0
        else { return nil }
        return max(1, quota / period)
    }

    private static func text(of path: String) -> String? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = unsafe read(file, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
