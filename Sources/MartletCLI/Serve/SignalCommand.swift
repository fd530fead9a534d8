import FoundationEssentials
import Glibc

/// `--signal command[=pid]`: tells a running server to do something.
struct SignalCommand {
    let command: String
    /// A process id, perhaps with a `*` at its end; empty for "the one that runs".
    let target: String

    init(_ text: String) throws(CommandFailure) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2 else {
            let rest = parts.dropFirst(2).joined(separator: " ")
            throw CommandFailure(description: "invalid signal parameters: [\(rest)]")
        }
        command = parts[0]
        target = parts.count == 2 ? Self.contents(ofPIDFile: parts[1]) ?? parts[1] : ""
    }

    func run() throws(CommandFailure) {
        let isPattern = target.hasSuffix("*")
        let prefix = isPattern ? String(target.dropLast()) : target
        let processes = try self.processes(prefix: prefix, isPattern: isPattern)
        guard let signal = Self.signals[command] else {
            throw CommandFailure(description: "unknown signal \"\(command)\"")
        }
        var failures = ""
        for process in processes where isPattern ? "\(process)".hasPrefix(prefix) : true {
            if kill(process, signal) != 0 {
                let reason = SystemError.text(errno)
                failures += "\nsignal \"\(command)\" \(process): \(reason)"
            }
        }
        if !failures.isEmpty { throw CommandFailure(description: failures) }
    }

    private func processes(prefix: String, isPattern: Bool) throws(CommandFailure) -> [pid_t] {
        var given: pid_t?
        if !prefix.isEmpty {
            given = pid_t(prefix)
            if given == nil { throw CommandFailure(description: "invalid pid: \(prefix)") }
        }
        if let given, !isPattern { return [given] }
        let running = ServerProcesses.running()
        if running.count > 1, !isPattern {
            let list = running.map { "\n\($0)" }.joined()
            throw CommandFailure(description: "multiple nats-server processes running:\(list)")
        }
        if running.isEmpty {
            throw CommandFailure(description: "no nats-server processes running")
        }
        return running
    }

    private static let signals: [String: Int32] = [
        "stop": SIGKILL, "quit": SIGINT, "reopen": SIGUSR1, "reload": SIGHUP, "ldm": SIGUSR2,
        "term": SIGTERM,
    ]

    private static func contents(ofPIDFile path: String) -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        return text.trimmed
    }
}

/// The servers that run on this machine, ours or nats-server.
enum ServerProcesses {
    static func running() -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }
            .filter { $0 != getpid() && isServer($0) }
            .sorted()
    }

    private static func isServer(_ process: pid_t) -> Bool {
        guard let name = try? String(contentsOfFile: "/proc/\(process)/comm", encoding: .utf8)
        else { return false }
        switch name.trimmed {
        case "nats-server": return true
        case "martlet": return !isOtherCommand(process)
        default: return false
        }
    }

    /// `martlet pub` and its like carry the same name as the server.
    private static func isOtherCommand(_ process: pid_t) -> Bool {
        let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
        let words = line.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        return words.count > 1 && ["pub", "sub", "request", "rules"].contains(words[1])
    }
}
