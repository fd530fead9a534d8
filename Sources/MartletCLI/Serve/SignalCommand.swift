import FoundationEssentials
import Glibc

/// `--signal command[=pid]`: tells a running server to do something.
struct SignalCommand {
    private let command: String
    private let signal: Int32
    private let target: Target

    /// Who is meant.
    private enum Target {
        /// The one Martlet server of this machine.
        case onlyOne
        case process(pid_t)
        /// Every Martlet server whose process id begins so.
        case prefix(String)
    }

    init(_ text: String) throws(CommandFailure) {
        let parts = text.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 2 else {
            let rest = parts.dropFirst(2).joined(separator: " ")
            throw CommandFailure(description: "invalid signal parameters: [\(rest)]")
        }
        command = parts[0]
        guard let signal = Self.signals[command] else {
            throw CommandFailure(description: "unknown signal \"\(command)\"")
        }
        self.signal = signal
        let name = parts.count == 2 ? Self.contents(ofPIDFile: parts[1]) ?? parts[1] : ""
        target = try Self.target(name)
    }

    private static func target(_ name: String) throws(CommandFailure) -> Target {
        if name.isEmpty { return .onlyOne }
        let prefix = name.hasSuffix("*") ? name.dropLast() : name[...]
        // Zero and less stand for groups of processes, this one's among them.
        guard prefix.isEmpty || pid_t(prefix).map({ $0 > 0 }) == true, !prefix.hasPrefix("+") else {
            throw CommandFailure(description: "invalid pid: \(prefix)")
        }
        if name.hasSuffix("*") { return .prefix(String(prefix)) }
        return .process(pid_t(prefix)!)
    }

    func run() throws(CommandFailure) {
        let processes = try processes()
        if signal == SIGHUP { try checkConfigurations(of: processes) }
        var failures = ""
        for process in processes where kill(process, signal) != 0 {
            failures += "\nsignal \"\(command)\" \(process): \(SystemError.text(errno))"
        }
        if !failures.isEmpty { throw CommandFailure(description: failures) }
    }

    private func processes() throws(CommandFailure) -> [pid_t] {
        switch target {
        case .process(let process): return [process]
        case .prefix(let prefix):
            let running = try Self.running()
            return running.filter { "\($0)".hasPrefix(prefix) }
        case .onlyOne:
            let running = try Self.running()
            guard running.count == 1 else {
                let list = running.map { "\n\($0)" }.joined()
                throw CommandFailure(description: "multiple martlet processes running:\(list)")
            }
            return running
        }
    }

    private static func running() throws(CommandFailure) -> [pid_t] {
        let running = ServerProcess.running()
        if running.isEmpty { throw CommandFailure(description: "no martlet processes running") }
        return running.map(\.id)
    }

    /// A server logs why a reload failed, where who asked for it may not look: what is wrong with the
    /// file is told here, and then nobody is signalled.
    private func checkConfigurations(of processes: [pid_t]) throws(CommandFailure) {
        for process in processes {
            guard let server = ServerProcess(process) else { continue }
            do {
                try server.checkConfiguration()
            } catch {
                throw CommandFailure(
                    description: "process \(process) would not take this over: \(error)")
            }
        }
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
