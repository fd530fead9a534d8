import Foundation
import Glibc
import MartletBroker
import MartletTestSupport
import Testing

@testable import MartletCLI
@testable import MartletMonitor

@Suite("The server process", .serialized, .timeLimit(.minutes(2)))
struct ServeProcessTests {
    private func started(_ arguments: [String] = []) async throws -> MartletProcess {
        let process = try MartletProcess(["-a", "127.0.0.1", "-p", "-1"] + arguments)
        try await process.waitForLog("Server is ready")
        return process
    }

    @Test("the version's first line is nats-server's", arguments: ["-v", "--version", "version"])
    func version(argument: String) async throws {
        let process = try MartletProcess([argument])
        #expect(try await process.exitCode() == 0)
        let lines = process.output.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0] == "nats-server: v\(Broker.compatibleVersion)")
        #expect(lines[1].hasPrefix("martlet "))
        #expect(!lines[1].contains(" v") && !lines[1].contains("version "))
    }

    @Test("help and mistakes")
    func usage() async throws {
        let help = try MartletProcess(["--help"])
        #expect(try await help.exitCode() == 0)
        #expect(help.output.contains("--client_advertise"))
        let unknown = try MartletProcess(["-x"])
        #expect(try await unknown.exitCode() == 1)
        #expect(unknown.log == "flag provided but not defined: -x\n")
        #expect(unknown.output.contains("Usage:"))
        let missing = try MartletProcess(["serve", "-js"])
        #expect(try await missing.exitCode() == 1)
        #expect(missing.log.contains("-js is not supported by this version"))
        let word = try MartletProcess(["foo"])
        #expect(try await word.exitCode() == 1)
        #expect(word.log == "martlet: unrecognized command: \"foo\"\n")
    }

    @Test("-t checks the configuration file")
    func check() async throws {
        let none = try MartletProcess(["-t"])
        #expect(try await none.exitCode() == 1)
        #expect(none.log.contains("must specify [-c, --config] option"))
        let path = try none.files.write("good.conf", "port: 4999\n")
        let good = try MartletProcess(["-t", "-c", path])
        #expect(try await good.exitCode() == 0)
        let line = "martlet: configuration file \(path) is valid (sha256:"
        #expect(good.log.hasPrefix(line))
        try none.files.write("good.conf", "port: 4999\nping_interval: 3\n")
        let doubtful = try MartletProcess(["-t", "-c", path])
        #expect(try await doubtful.exitCode() == 1)
        #expect(doubtful.log.hasPrefix("martlet: \(path):2:"))
        #expect(doubtful.log.contains("ping_interval should be converted to a duration"))
        try none.files.write("good.conf", "authorization {\n user: a\n")
        let broken = try MartletProcess(["-c", path])
        #expect(try await broken.exitCode() == 1)
        #expect(broken.log.hasPrefix("martlet: Parse error on line "))
        let bad = try MartletProcess(["-t", "-c", none.files.file("absent.conf")])
        #expect(try await bad.exitCode() == 1)
        #expect(bad.log.contains("absent.conf: no such file or directory"))
    }

    @Test(
        "the kernel's table of descriptors has room for all connections before the first one comes")
    func descriptorTable() async throws {
        let process = try MartletProcess(
            ["-c", "server.conf"],
            configuration: "host: 127.0.0.1\nport: -1\nmax_connections: 3000\n")
        try await process.waitForLog("Server is ready")
        #expect(try process.descriptorTableSize() >= 3_000)
    }

    @Test("the log begins in nats-server's order")
    func startLines() async throws {
        let process = try await started(["-m", "-1", "--name", "nm"])
        let texts = [
            "Starting martlet", "  Version:  2.", "  Git:      [", "  Name:     nm",
            "  ID:       N", "Starting http monitor on 127.0.0.1:",
            "Listening for client connections on 127.0.0.1:", "Server is ready",
        ]
        var rest = process.log[...]
        for text in texts {
            let range = try #require(rest.range(of: "[INF] \(text)"), "\(text)")
            rest = rest[range.upperBound...]
        }
        #expect(process.log.contains("Martlet"))
    }

    @Test("INT and TERM stop at once with exit code 0", arguments: [SIGINT, SIGTERM])
    func stop(signal: Int32) async throws {
        let process = try await started()
        process.signal(signal)
        #expect(try await process.exitCode(seconds: 5) == 0)
        let name = signal == SIGINT ? "interrupt" : "terminated"
        #expect(process.log.contains("Trapped \"\(name)\" signal"))
        #expect(process.log.contains("Initiating Shutdown..."))
        #expect(process.log.hasSuffix("[INF] Server Exiting..\n"))
    }

    @Test("the pid file stays, the ports file goes")
    func files() async throws {
        let directory = try TemporaryDirectory()
        let pidFile = directory.file("pid")
        let process = try await started(
            ["-P", pidFile, "--ports_file_dir", directory.path, "-m", "-1"])
        #expect(directory.text("pid") == "\(process.pid)")
        let portsFile = directory.file("martlet_\(process.pid).ports")
        let data = try #require(FileManager.default.contents(atPath: portsFile))
        let ports = try JSONDecoder().decode([String: [String]].self, from: data)
        let client = try process.port(after: "Listening for client connections")
        let http = try process.port(after: "Starting http monitor")
        #expect(
            ports == [
                "nats": ["nats://127.0.0.1:\(client)"], "monitoring": ["http://127.0.0.1:\(http)"],
            ])
        let term = try MartletProcess(["--signal", "term=\(pidFile)"])
        #expect(try await term.exitCode() == 0)
        #expect(try await process.exitCode() == 0)
        #expect(!FileManager.default.fileExists(atPath: portsFile))
        #expect(FileManager.default.fileExists(atPath: pidFile))
    }

    @Test("a taken port, a bad address and a bad pid file end the start with 1")
    func failedStarts() async throws {
        let first = try await started(["-m", "-1"])
        let port = try first.port(after: "Listening for client connections")
        let taken = try MartletProcess(["-a", "127.0.0.1", "-p", "\(port)"])
        #expect(try await taken.exitCode() == 1)
        #expect(taken.log.contains("[FTL] Error listening on port: 127.0.0.1:\(port), \""))
        #expect(taken.log.contains("address already in use"))
        let http = try first.port(after: "Starting http monitor")
        let monitor = try MartletProcess(["-a", "127.0.0.1", "-p", "-1", "-m", "\(http)"])
        #expect(try await monitor.exitCode() == 1)
        #expect(monitor.log.contains("[FTL] Can't start monitoring: can't listen to the monitor"))
        let address = try MartletProcess(["-a", "192.0.2.1", "-p", "-1"])
        #expect(try await address.exitCode() == 1)
        #expect(address.log.contains("cannot assign requested address"))
        let pid = try MartletProcess(["-a", "127.0.0.1", "-p", "-1", "-P", "/absent/pid"])
        #expect(try await pid.exitCode() == 1)
        #expect(pid.log.contains("[FTL] Could not write pidfile: open /absent/pid: no such file"))
    }

    @Test("HUP adopts the file again, keeps the old one if it is bad, and flags still win")
    func reload() async throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("m.conf", "debug: false\nlogtime: true\n")
        let process = try await started(["-c", path, "-T=true"])
        #expect(process.log.contains("Using configuration file: \(path) (sha256:"))
        try directory.write("m.conf", "debug: true\nlogtime: false\n")
        process.signal(SIGHUP)
        try await process.waitForLog("Reloaded server configuration (sha256:")
        #expect(process.log.contains("Reloaded: debug = true"))
        #expect(!process.log.contains("Reloaded: logtime"))
        try directory.write("m.conf", "debug: }\n")
        process.signal(SIGHUP)
        try await process.waitForLog("[ERR] Failed to reload server configuration: ")
        process.signal(SIGINT)
        #expect(try await process.exitCode() == 0)
    }

    @Test("USR1 opens the log file again; without one it says so")
    func reopen() async throws {
        let process = try await started()
        process.signal(SIGUSR1)
        try await process.waitForLog("File log re-open ignored, not a file logger")
        let path = process.files.file("log")
        func isLogged(_ text: String) async -> Bool {
            await becomesTrue { process.files.text("log").contains(text) }
        }
        let logging = try MartletProcess(["-a", "127.0.0.1", "-p", "-1", "-l", path])
        #expect(await isLogged("Server is ready"))
        try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
        logging.signal(SIGUSR1)
        #expect(await isLogged("File log re-opened"))
        logging.signal(SIGTERM)
        #expect(try await logging.exitCode() == 0)
        #expect(logging.log.isEmpty)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.hasSuffix("Server Exiting..\n"))
    }

    @Test("QUIT ends it at once, with nats-server's exit status")
    func quit() async throws {
        let process = try await started(["--loops", "2"])
        process.signal(SIGQUIT)
        #expect(try await process.exitCode() == 2)
        #expect(process.log.contains("Trapped \"quit\" signal"))
    }

    @Test(
        "after a fatal error it ends, and does not wait for its own threads",
        .disabled(if: isSanitized, "a sanitizer handles fatal errors itself"))
    func crash() async throws {
        let process = try await started(["--loops", "2"])
        process.signal(SIGILL)
        // The crash handler waits 33 s for threads that do not take its signal; writing a backtrace
        // takes seconds on a busy machine.
        try await process.waitForLog("\"loop-0\":", seconds: 25)
        // The first one came from outside, so that the instruction it came at goes on after all.
        process.signal(SIGILL)
        #expect(process.ends(within: 10))
        #expect(!process.log.contains("Trapped"))
    }

    @Test("USR2 ends a server without clients")
    func lameDuck() async throws {
        let process = try await started()
        process.signal(SIGUSR2)
        #expect(try await process.exitCode() == 0)
        #expect(process.log.contains("Trapped \"user defined signal 2\" signal"))
    }

    @Test("a lame duck lets its clients go one by one; TERM does not cut that short, INT does")
    func lameDuckWithClient() async throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write(
            "m.conf", "lame_duck_duration: 60s\nlame_duck_grace_period: 30s\n")
        let process = try await started(["-c", path])
        let port = try process.port(after: "Listening for client connections")
        let client = try MartletProcess(["sub", "x", "--server", "127.0.0.1:\(port)"])
        try await client.waitForLog("Listening on")
        process.signal(SIGUSR2)
        try await process.waitForLog("Entering lame duck mode, stop accepting new clients")
        process.signal(SIGTERM)
        try await process.waitForLog("Trapped \"terminated\" signal")
        try await Task.sleep(for: .milliseconds(300))
        #expect(!process.log.contains("Initiating Shutdown..."))
        process.signal(SIGINT)
        #expect(try await process.exitCode() == 0)
        #expect(try await client.exitCode() == 2)
        #expect(client.log.contains("connection closed by"))
    }

    @Test("nobody waits for a reader of the log that does not read")
    func unreadLog() async throws {
        let directory = try TemporaryDirectory()
        let pipe = Pipe()
        // Open to the end: a pipe without a reader would be closed, not full.
        defer { try? pipe.fileHandleForReading.close() }
        let port = try freePort()
        let server = try MartletProcess(
            ["-a", "127.0.0.1", "-p", "\(port)", "-DV", "-P", directory.file("pid")],
            errors: .descriptor(pipe.fileHandleForWriting.fileDescriptor))
        try pipe.fileHandleForWriting.close()
        let text = "Server is ready\n"
        var start = Data()
        while !start.suffix(text.utf8.count).elementsEqual(text.utf8) {
            let more = pipe.fileHandleForReading.availableData
            try #require(!more.isEmpty, "it ended: \(String(decoding: start, as: UTF8.self))")
            start += more
        }
        let client = try MartletProcess(
            ["pub", "x", "payload", "--count", "5000", "--server", "127.0.0.1:\(port)"])
        #expect(try await client.exitCode() == 0)
        server.signal(SIGTERM)
        #expect(try await server.exitCode() == 0)
    }

    @Test(
        "what starts with a mistake does not start",
        arguments: [
            (["-p", "99999"], "flag -p: port 99999 is not between -1 and 65535"),
            (["-n", "a b"], "flag -n: server name cannot contain spaces"),
            (["--user", "a", "--auth", "t"], "Cannot have a user/pass and token"),
            (["--pass", "a"], "there is a password without a user, which would let everybody in"),
        ])
    func mistakes(arguments: [String], message: String) async throws {
        let process = try MartletProcess(["-a", "127.0.0.1"] + arguments)
        #expect(try await process.exitCode() == 1)
        #expect(process.log == "martlet: \(message)\n")
    }

    @Test("a file is checked as a whole, and so is one with placeholders for hashes")
    func wholeFile() async throws {
        let directory = try TemporaryDirectory()
        let texts = [
            "no_auth_user: bob\n": "no_auth_user: \"bob\" present, but users/nkeys are not defined",
            "authorization { token: '$2a$11$...' }\n": "it begins like a bcrypt hash and is none",
        ]
        for (text, message) in texts {
            let path = try directory.write("m.conf", text)
            let check = try MartletProcess(["-t", "-c", path])
            #expect(try await check.exitCode() == 1)
            #expect(check.log.contains(message))
        }
    }

    @Test(
        "bad signal commands",
        arguments: [
            ("foo=1x", "martlet: unknown signal \"foo\""),
            ("foo", "martlet: unknown signal \"foo\""),
            ("quit=1x", "martlet: invalid pid: 1x"),
            ("reload=0", "martlet: invalid pid: 0"),
            ("reload=-1", "martlet: invalid pid: -1"),
            ("reload=-1*", "martlet: invalid pid: -1"),
            ("quit=1=2", "martlet: invalid signal parameters: [2]"),
            ("quit=4194303", "martlet: \nsignal \"quit\" 4194303: no such process"),
        ])
    func signalMistakes(text: String, message: String) async throws {
        let process = try MartletProcess(["--signal", text])
        #expect(try await process.exitCode() == 1)
        #expect(process.log == message + "\n")
    }
}
