import Foundation
import Glibc
import MartletTestSupport
import Testing

@testable import MartletCLI

@Suite("Rules that change while the server runs", .serialized, .timeLimit(.minutes(2)))
struct RulesReloadTests {
    private let directory: RulesDirectory

    init() throws { directory = try RulesDirectory() }

    private func started() async throws -> MartletProcess {
        let process = try MartletProcess(["-a", "127.0.0.1", "-c", directory.configuration])
        try await process.waitForLog("Server is ready")
        return process
    }

    private func stop(_ process: MartletProcess) async throws {
        process.signal(SIGINT)
        #expect(try await process.exitCode() == 0)
    }

    @Test("what is wrong with rules stops a start, all of it at once")
    func badStart() async throws {
        try directory.write(
            "rules.conf", "rules {\n a { subject: \"a..b\" }\n b { subject: b, to: \"*\" } }")
        let process = try MartletProcess(["-c", directory.configuration])
        #expect(try await process.exitCode() == 1)
        let lines = process.log.split(separator: "\n")
        try #require(lines.count == 2)
        let file = directory.path + "/rules.conf"
        #expect(lines[0].hasPrefix("martlet: \(file):2:2: rule a: subject: "))
        #expect(lines[1].hasPrefix("\(file):3:2: rule b: to: "))
    }

    @Test("HUP takes over other rules, and those that only a schema's file changes")
    func reload() async throws {
        let process = try await started()
        process.signal(SIGHUP)
        try await process.waitForLog("[INF] Reloaded server configuration (sha256:")
        #expect(!process.log.contains("Reloaded: rules"))
        try directory.write("order.json", "true")
        process.signal(SIGHUP)
        try await process.waitForLog("[INF] Reloaded: rules = 6")
        try directory.write("rules.conf", "rules { a { subject: a, validate: json } }")
        process.signal(SIGHUP)
        try await process.waitForLog("[INF] Reloaded: rules = 1")
        try directory.write("martlet.conf", "port: -1\n")
        process.signal(SIGHUP)
        try await process.waitForLog("[INF] Reloaded: rules = 0")
        try await stop(process)
    }

    @Test("--signal reload does the same")
    func signalCommand() async throws {
        let process = try await started()
        try directory.write("rules.conf", "rules { a { subject: a, validate: json } }")
        let command = try MartletProcess(["--signal", "reload=\(process.pid)"])
        #expect(try await command.exitCode() == 0)
        try await process.waitForLog("[INF] Reloaded: rules = 1")
        try await stop(process)
    }

    @Test("rules that are wrong leave the old ones in place")
    func badRules() async throws {
        let process = try await started()
        try directory.write("order.json", #"{"type": 5}"#)
        process.signal(SIGHUP)
        let failure = "[ERR] Failed to reload server configuration: \(directory.path)/order.json"
        try await process.waitForLog(failure)
        #expect(!process.log.contains("Reloaded"))
        // What runs is still what the first file said, so that is no change.
        try directory.write("order.json", RulesDirectory.schema)
        process.signal(SIGHUP)
        try await process.waitForLog("[INF] Reloaded server configuration (sha256:")
        #expect(!process.log.contains("Reloaded: rules"))
        try await stop(process)
    }

    @Test("with a change that needs a restart, nothing is taken over")
    func allOrNothing() async throws {
        let process = try await started()
        try directory.write("rules.conf", "rules { a { subject: a, validate: json } }")
        try directory.write("martlet.conf", "port: -1\nserver_name: x\ninclude rules.conf\n")
        process.signal(SIGHUP)
        try await process.waitForLog(
            "[ERR] Failed to reload server configuration: config reload not supported for "
                + "ServerName: old=, new=x")
        #expect(!process.log.contains("Reloaded"))
        try directory.write("martlet.conf", "port: -1\ninclude rules.conf\n")
        process.signal(SIGHUP)
        try await process.waitForLog("[INF] Reloaded: rules = 1")
        try await stop(process)
    }
}
