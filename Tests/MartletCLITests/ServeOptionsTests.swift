import MartletBroker
import Testing

@testable import MartletCLI

@Suite("What the flags of serve set")
struct ServeOptionsTests {
    private func configuration(
        _ arguments: [String], over start: BrokerConfiguration = .init()
    ) throws -> BrokerConfiguration {
        var configuration = start
        try ServeCommand.options(GoFlags(arguments)).apply(to: &configuration)
        return configuration
    }

    @Test("the last of several flags wins")
    func lastWins() throws {
        #expect(try configuration(["-p", "1", "--port=2", "-p", "3"]).port == 3)
        #expect(try configuration(["-D", "-D=false"]).log.debug == false)
    }

    @Test("flags win over the file, and what is not given stays")
    func overFile() throws {
        var file = BrokerConfiguration()
        file.port = 1
        file.serverName = "file"
        file.log.debug = true
        let result = try configuration(["--name", "flag", "-D=false"], over: file)
        #expect(result.port == 1)
        #expect(result.serverName == "flag")
        #expect(result.log.debug == false)
    }

    @Test("port 0 is the default port, -1 any free one")
    func ports() throws {
        var file = BrokerConfiguration()
        file.port = 1
        #expect(try configuration(["-p", "0"], over: file).port == 4222)
        #expect(try configuration(["-p", "-1"]).port == -1)
        #expect(try configuration(["-m", "-1"]).httpPort == -1)
    }

    @Test("every flag reaches its setting")
    func all() throws {
        let result = try configuration([
            "-a", "h", "-m", "8", "-P", "pid", "--ports_file_dir", "d", "--client_advertise", "c:1",
            "--user", "u", "--pass", "p", "--auth", "t", "-VV", "-T=false", "--logtime_utc",
            "-l", "file", "--log_size_limit", "7", "-s", "-r", "udp://x", "--max_traced_msg_len",
            "9", "--loops", "2",
        ])
        #expect(result.host == "h")
        #expect(result.httpPort == 8)
        #expect(result.pidFile == "pid")
        #expect(result.portsFileDirectory == "d")
        #expect(result.clientAdvertise == "c:1")
        #expect(result.authorization.user == "u")
        #expect(result.authorization.password == "p")
        #expect(result.authorization.token == "t")
        #expect(result.log.trace && result.log.traceVerbose && !result.log.debug)
        #expect(!result.log.showsTime && result.log.usesUTC && result.log.syslog)
        #expect(result.log.file == "file")
        #expect(result.log.fileBytesMax == 7)
        #expect(result.log.remoteSyslog == "udp://x")
        #expect(result.tracedMessageBytesMax == 9)
        #expect(result.loopCount == 2)
    }

    @Test("loops are a number or auto", arguments: ["0", "-1", "many", "1025"])
    func loops(text: String) throws {
        #expect(throws: CommandFailure.self) { try configuration(["--loops", text]) }
        #expect(try configuration(["--loops", "auto"]).loopCount == nil)
    }
}
