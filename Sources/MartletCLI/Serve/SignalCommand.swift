import FoundationEssentials
import Glibc

/// `--signal command[=pid]`: tells a running server to do something.
struct SignalCommand {
    private let command: String
    private let signal: Int32
    private let target: Target
    /// How long a server may take for a reload.
    private let answerTimeMax: Duration

    /// Who is meant.
    private enum Target {
        /// The one Martlet server of this machine.
        case onlyOne
        case process(pid_t)
        /// Every Martlet server whose process id begins so.
        case prefix(String)
    }

    init(_ text: String, answerTimeMax: Duration = .seconds(30)) throws(CommandFailure) {
        self.answerTimeMax = answerTimeMax
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
        var failures = ""
        for process in try processes() {
            do throws(CommandFailure) {
                try tell(process)
            } catch {
                failures += "\nsignal \"\(command)\" \(process): \(error)"
            }
        }
        if !failures.isEmpty { throw CommandFailure(description: failures) }
    }

    private func tell(_ process: pid_t) throws(CommandFailure) {
        let server = signal == SIGHUP ? ServerProcess(process) : nil
        if let server, server.answersReloads { return try reload(server) }
        guard kill(process, signal) == 0 else {
            throw CommandFailure(description: SystemError.text(errno))
        }
        // nats-server tells nothing, and what is no Martlet gets the same.
        if server != nil {
            Console.print("process \(process): signalled; its log tells what comes of it")
        }
    }

    private func reload(_ server: ServerProcess) throws(CommandFailure) {
        let answer = try ReloadRequest().ask(server.id, limit: answerTimeMax)
        let text = answer.text.printable(keeping: ["\n"])
        guard answer.isDone else { throw CommandFailure(description: text) }
        for line in text.split(separator: "\n") { Console.print("process \(server.id): \(line)") }
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

    private static let signals: [String: Int32] = [
        "stop": SIGKILL, "quit": SIGINT, "reopen": SIGUSR1, "reload": SIGHUP, "ldm": SIGUSR2,
        "term": SIGTERM,
    ]

    private static func contents(ofPIDFile path: String) -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        return text.trimmed
    }
}
