import MartletBroker
import Testing

@testable import MartletCLI

@Suite("What the flags of serve set")
struct ServeOptionsTests {
    private func configuration(
        _ arguments: [String], over start: BrokerConfiguration = .init()
    ) throws -> BrokerConfiguration {
        var configuration = start
        try ServeOptions(GoFlags(arguments)).apply(to: &configuration)
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
        #expect(try configuration(["-m", "-1"]).monitoring.port == -1)
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
        #expect(result.monitoring.port == 8)
        #expect(result.files.processID == "pid")
        #expect(result.files.portsDirectory == "d")
        #expect(result.clientAdvertise == "c:1")
        #expect(result.authorization.user == "u")
        #expect(result.authorization.password == "p")
        #expect(result.authorization.token == "t")
        #expect(result.log.trace && result.log.traceVerbose && !result.log.debug)
        #expect(!result.log.showsTime && result.log.usesUTC && result.log.syslog)
        #expect(result.log.file == "file")
        #expect(result.log.fileBytesMax == 7)
        #expect(result.log.remoteSyslog == "udp://x")
        #expect(result.log.tracedMessageBytesMax == 9)
        #expect(result.loopCount == 2)
    }

    @Test("each combined switch sets what its letters say", arguments: ["-DV", "-VV", "-DVV"])
    func combined(flag: String) throws {
        let log = try configuration([flag]).log
        #expect(log.debug == flag.contains("D"))
        #expect(log.trace)
        #expect(log.traceVerbose == flag.contains("VV"))
    }

    @Test(
        "a flag is refused where a file with the same value is",
        arguments: [
            (["--loops", "0"], "flag -loops: loops value must be 1 or more, not 0"),
            (["--loops", "many"], "flag -loops: \"loops\" takes a number or auto, not \"many\""),
            (["--loops", "1025"], "flag -loops: loops value is too big"),
            (["-p", "99999"], "flag -p: port 99999 is not between -1 and 65535"),
            (["--port", "-2"], "flag -port: port -2 is not between -1 and 65535"),
            (["-m", "70000"], "flag -m: port 70000 is not between -1 and 65535"),
            (["-n", "a b"], "flag -n: server name cannot contain spaces"),
        ])
    func refused(arguments: [String], message: String) {
        let error = #expect(throws: BrokerError.self) { try configuration(arguments) }
        #expect(error?.message == message)
    }

    @Test("empty values are the defaults")
    func empty() throws {
        var file = BrokerConfiguration()
        file.serverName = "file"
        file.host = "127.0.0.1"
        let result = try configuration(["-n", "", "-a", "", "-P", "", "-l", ""], over: file)
        #expect(result.serverName == nil)
        #expect(result.host == "0.0.0.0")
        #expect(result.files.processID == nil)
        #expect(result.log.file == nil)
        #expect(ServeOptions(try GoFlags(["-c", ""])).configurationPath == nil)
        #expect(try configuration(["--loops", "auto"]).loopCount == nil)
    }

    @Test("the help names every flag that sets something")
    func help() {
        let named = Set(Usage.text.matches(of: /\s--?(\w+)/).map { String($0.1) })
        for flag in ConfigurationFlags.names { #expect(named.contains(flag), "\(flag)") }
    }
}
