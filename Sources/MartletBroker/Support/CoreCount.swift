import CMartletSystem
import Glibc

/// How many cores the process may use: those that its affinity names, or as many as the quota of its control
/// group is worth, if that is less.
package enum CoreCount {
    package static let usable = max(1, min(allowed, quota ?? .max))

    /// Of the affinity of the first thread that asks, which threads that it starts inherit.
    package static let allowed = {
        let count = Int(martlet_allowed_cores())
        return max(1, count > 0 ? count : sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }()

    /// The least of its control group's and of those that this is in, as far as the process sees them.
    private static var quota: Int? {
        folders(ofGroups: text(of: "/proc/self/cgroup") ?? "").compactMap { folder in
            if let text = text(of: folder + "/cpu.max") { return cores(ofQuota: text) }
            guard let quota = text(of: folder + "/cpu.cfs_quota_us"),
                let period = text(of: folder + "/cpu.cfs_period_us")
            else { return nil }
            return cores(ofQuota: quota + " " + period)
        }.min()
    }

    /// Where the quotas of a process may stand, by its /proc/self/cgroup: lines such as `0::/a/b`, or
    /// `4:cpu,cpuacct:/a/b` of the first version. In a container the path may be one of the host's, and its own
    /// group the root of what it sees.
    static func folders(ofGroups text: String) -> [String] {
        text.split(separator: "\n").flatMap { line -> [String] in
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { return [] }
            let controllers = fields[1].split(separator: ",")
            guard controllers.isEmpty || controllers.contains("cpu") else { return [] }
            var folder = "/sys/fs/cgroup" + (controllers.isEmpty ? "" : "/cpu")
            let groups = fields[2].split(separator: "/")
            guard groups.count <= 64, !groups.contains("..") else { return [folder] }
            return [folder]
                + groups.map { group in
                    folder += "/" + group
                    return folder
                }
        }
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
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe read(file, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
