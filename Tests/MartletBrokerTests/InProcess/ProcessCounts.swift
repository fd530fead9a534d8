import Foundation

/// What this process holds.
struct ProcessCounts {
    let descriptors: Int
    let listeners: Int
    /// Threads that brokers start, by their names: the test runner has others, which come and go.
    let brokerThreads: Int

    init() throws {
        let files = FileManager.default
        descriptors = try files.contentsOfDirectory(atPath: "/proc/self/fd").count
        let sockets = try String(contentsOfFile: "/proc/self/net/tcp", encoding: .utf8)
        let own = try files.contentsOfDirectory(atPath: "/proc/self/fd").compactMap {
            try? files.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        }
        listeners = sockets.split(separator: "\n").dropFirst().count { line in
            let fields = line.split(separator: " ")
            return fields[3] == "0A" && own.contains("socket:[\(fields[9])]")
        }
        brokerThreads = try files.contentsOfDirectory(atPath: "/proc/self/task").count { task in
            let name =
                (try? String(contentsOfFile: "/proc/self/task/\(task)/comm", encoding: .utf8)) ?? ""
            return ["loop-", "lame-duck", "stop", "authentication"].contains { name.hasPrefix($0) }
        }
    }
}
