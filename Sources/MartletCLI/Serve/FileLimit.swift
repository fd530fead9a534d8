import Glibc
import MartletBroker

/// How many files, and so connections, the process may open.
enum FileLimit {
    /// Raises the soft limit to the hard one and returns what holds then.
    static func raise() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return Int.max
        }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 {
                limit = raised
            }
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// What to tell the operator, if `connectionsMax` connections cannot be open at once.
    static func warning(limit: Int, connectionsMax: Int) -> String? {
        guard connectionsMax > limit - DescriptorLimit.keptMax else { return nil }
        return "max_connections is \(connectionsMax), but the system allows this process "
            + "\(limit) open files: raise the limit (ulimit -n) or lower max_connections"
    }
}
