import Foundation
import Glibc
import MartletBroker
import MartletTestSupport
import Testing

@testable import MartletCLI

@Suite("--signal reload tells what came of it", .serialized, .timeLimit(.minutes(2)))
struct SignalReloadTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func started(
        _ text: String, named name: String = "m.conf"
    ) async throws
        -> MartletProcess
    {
        let path = try directory.write(name, text)
        let process = try MartletProcess(["-a", "127.0.0.1", "-p", "-1", "-c", path])
        try await process.waitForLog("Server is ready")
        return process
    }

    private func reload(_ process: MartletProcess) throws -> MartletProcess {
        try MartletProcess(["--signal", "reload=\(process.pid)"])
    }

    @Test("what was taken over is printed, and the exit code is 0")
    func done() async throws {
        let process = try await started("debug: false\n")
        try directory.write("m.conf", "debug: true\nmax_payload: 2MB\n")
        let command = try reload(process)
        #expect(try await command.exitCode() == 0)
        let lines = command.output.split(separator: "\n")
        try #require(lines.count == 3, "\(command.output)")
        let start = "process \(process.pid): Reloaded"
        #expect(lines[0] == "\(start): max_payload = 2097152")
        #expect(lines[1] == "\(start): debug = true")
        #expect(lines[2].hasPrefix("\(start) server configuration (sha256:"))
        #expect(command.log.isEmpty)
        #expect(process.log.contains("Trapped \"hangup\" signal"))
    }

    @Test(
        "a reload that is refused fails with the server's reason",
        arguments: [
            ("debug: }\n", "\"debug\" takes true or false"),
            ("max_payload: 2MB\nmax_pending: 1MB\n", "(2097152) cannot be higher than max_pending"),
            ("debug: true\nserver_name: x\n", "config reload not supported for ServerName"),
            ("no_such_key: 1\n", "no_such_key"),
        ])
    func refused(text: String, reason: String) async throws {
        let process = try await started("debug: false\n")
        try directory.write("m.conf", text)
        let command = try reload(process)
        #expect(try await command.exitCode() == 1)
        #expect(command.log.hasPrefix("martlet: \nsignal \"reload\" \(process.pid): "))
        #expect(command.log.contains(reason))
        #expect(command.output.isEmpty)
        #expect(process.log.contains("[ERR] Failed to reload server configuration: "))
        #expect(!process.log.contains("Reloaded"))
    }

    @Test("without a file there is nothing to reload, and a pid file names the server")
    func withoutFile() async throws {
        let path = directory.file("pid")
        let process = try MartletProcess(["-a", "127.0.0.1", "-p", "-1", "-P", path])
        try await process.waitForLog("Server is ready")
        let command = try MartletProcess(["--signal", "reload=\(path)"])
        #expect(try await command.exitCode() == 1)
        #expect(command.log.contains("can only reload config when a file is provided using -c"))
    }

    @Test("what a reload could do in part only is no success")
    func inPart() async throws {
        let process = try await started("ports_file_dir: '\(directory.path)'\n")
        try FileManager.default.removeItem(atPath: directory.file("martlet_\(process.pid).ports"))
        try directory.write("m.conf", "debug: true\n")
        let command = try reload(process)
        #expect(try await command.exitCode() == 1)
        #expect(command.log.contains("Reloaded: debug = true\n"))
        #expect(command.log.hasSuffix(".ports: no such file or directory\n"))
        try await process.waitForLog("[INF] Reloaded: debug = true")
    }

    @Test("each of many at once gets the answer of its own server")
    func manyAtOnce() async throws {
        let good = try await started("debug: false\n")
        let bad = try await started("debug: false\n", named: "bad.conf")
        try directory.write("bad.conf", "server_name: other\n")
        let commands = try (0..<12).map { try reload($0 % 3 == 0 ? bad : good) }
        for (index, command) in commands.enumerated() {
            let isBad = index % 3 == 0
            #expect(try await command.exitCode(seconds: 60) == (isBad ? 1 : 0))
            #expect(command.log.contains("not supported for ServerName") == isBad)
            #expect(command.output.contains("process \(good.pid): Reloaded server") == !isBad)
        }
        let trapped = { (process: MartletProcess) in
            process.log.split(separator: "\n").count { $0.contains("Trapped \"hangup\"") }
        }
        #expect(trapped(good) == 8)
        #expect(trapped(bad) == 4)
    }

    @Test("no answer in time is an error, and the server lives on without who asked")
    func noAnswer() async throws {
        let process = try await started("debug: false\n")
        process.signal(SIGSTOP)
        let pid = process.pid
        try await onThread {
            let command = try SignalCommand("reload=\(pid)", answerTimeMax: .milliseconds(300))
            let failure = #expect(throws: CommandFailure.self) { try command.run() }
            #expect(failure?.description.contains("no answer within 0.3 seconds; its log") == true)
        }
        process.signal(SIGCONT)
        try await process.waitForLog("[WRN] Can't answer who asked for the reload: connect: ")
        let command = try reload(process)
        #expect(try await command.exitCode() == 0)
    }

    @Test("a server that ends meanwhile is an error at once")
    func ended() async throws {
        let process = try await started("debug: false\n")
        process.signal(SIGSTOP)
        let command = try reload(process)
        #expect(await becomesTrue { waitingSocket(of: command) != nil })
        process.signal(SIGKILL)
        #expect(process.ends(within: 10))
        #expect(try await command.exitCode() == 1)
        #expect(command.log.hasSuffix(": it has ended without an answer\n"))
    }

    @Test("an answer of somebody else is none")
    func forgery() async throws {
        let process = try await started("debug: false\n")
        process.signal(SIGSTOP)
        let command = try reload(process)
        #expect(await becomesTrue { waitingSocket(of: command) != nil })
        let name = try #require(waitingSocket(of: command))
        let descriptor = try Connector.begin(SocketAddress(path: "\0" + name), .datagram)
        for text in ["+forged", "-forged", "", "+" + String(repeating: "x", count: 100_000)] {
            let bytes = Array(text.utf8)
            #expect(send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
        }
        close(descriptor)
        try directory.write("m.conf", "debug: true\n")
        process.signal(SIGCONT)
        #expect(try await command.exitCode(seconds: 60) == 0)
        #expect(command.output.hasPrefix("process \(process.pid): Reloaded: debug = true\n"))
    }

    @Test("what is no Martlet gets SIGHUP, as from nats-server, and nothing is said")
    func foreign() async throws {
        let script = "trap 'echo reloaded; exit 7' HUP; echo ready; while :; do sleep 0.05; done"
        let foreign = try MartletProcess(["-c", script], executable: "/bin/sh")
        #expect(await becomesTrue { foreign.output == "ready\n" })
        let path = try directory.write("pid", "\(foreign.pid)\n")
        let command = try MartletProcess(["--signal", "reload=\(path)"])
        #expect(try await command.exitCode() == 0)
        #expect(command.output + command.log == "")
        #expect(try await foreign.exitCode() == 7)
        #expect(foreign.output == "ready\nreloaded\n")
        let gone = try MartletProcess(["--signal", "reload=\(path)"])
        #expect(try await gone.exitCode() == 1)
        #expect(gone.log == "martlet: \nsignal \"reload\" \(foreign.pid): no such process\n")
    }

    @Test("a long answer is cut off between two letters")
    func longAnswer() throws {
        let text = "a" + String(repeating: "é", count: 40_000)
        let bytes = ReloadAnswer(isDone: false, text: text).bytes
        #expect(bytes.count <= ReloadAnswer.bytesMax)
        let answer = try #require(ReloadAnswer(bytes[...]))
        #expect(!answer.isDone)
        #expect(answer.text.hasSuffix("é…"))
        #expect(text.hasPrefix(answer.text.dropLast()))
        #expect(ReloadAnswer([]) == nil)
        #expect(ReloadAnswer([0]) == nil)
    }

    /// The name of the socket at which a command waits.
    private func waitingSocket(of command: MartletProcess) -> String? {
        let folder = "/proc/\(command.pid)/fd"
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let targets = descriptors.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)")
        }
        let sockets = (try? String(contentsOfFile: "/proc/net/unix", encoding: .utf8)) ?? ""
        for line in sockets.split(separator: "\n") {
            let words = line.split(separator: " ")
            // A NUL is shown as an @, also that at the end, which the address adds by itself.
            guard let name = words.last, name.hasPrefix("@martlet-reload-"), words.count > 1,
                targets.contains("socket:[\(words[words.count - 2])]")
            else { continue }
            return String(name.dropFirst().dropLast())
        }
        return nil
    }
}
