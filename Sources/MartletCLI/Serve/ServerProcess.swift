import FoundationEssentials
import Glibc

/// A Martlet server that runs on this machine, as /proc shows it.
struct ServerProcess {
    let id: pid_t

    /// Nil for a process that is none, or of somebody else whose signals it would not take either.
    init?(_ id: pid_t) {
        guard let executable = Self.executable(of: id),
            executable == Self.executable(of: getpid()) || executable.hasSuffix("/martlet"),
            let words = Self.words(of: id), !words.isEmpty
        else { return nil }
        if let first = words.dropFirst().first, Martlet.clientCommands.contains(first) {
            return nil
        }
        self.id = id
    }

    /// Every one but this process itself.
    static func running() -> [ServerProcess] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { $0 != getpid() }.sorted()
            .compactMap { ServerProcess($0) }
    }

    /// Whether it takes `ReloadRequest.signal`, which ends a process that does not wait for it, and its answer
    /// finds this process: not from another container.
    var answersReloads: Bool {
        let mine = Self.link("ns/net", of: getpid())
        guard mine != nil, mine == Self.link("ns/net", of: id),
            let status = try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("SigBlk:") }),
            let word = line.split(whereSeparator: \.isWhitespace).last,
            let blocked = UInt64(word, radix: 16)
        else { return false }
        return blocked & 1 << UInt64(ReloadRequest.signal - 1) != 0
    }

    /// The path of the program, also when it has been replaced meanwhile.
    private static func executable(of process: pid_t) -> String? {
        guard let path = link("exe", of: process) else { return nil }
        let deleted = " (deleted)"
        return path.hasSuffix(deleted) ? String(path.dropLast(deleted.count)) : path
    }

    private static func link(_ name: String, of process: pid_t) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/\(name)")
    }

    /// What it was started with.
    private static func words(of process: pid_t) -> [String]? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else {
            return nil
        }
        return data.split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
