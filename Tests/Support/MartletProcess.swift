import Foundation
import Glibc
import Testing

/// The executable under test, or another server, as a process of its own, with what it writes in a
/// directory that goes with it.
public final class MartletProcess: Sendable {
    public struct TimedOut: Error {
        public let log: String
    }

    public struct EndedBySignal: Error {
        public let termination: ChildProcess.Termination?
    }

    /// The executables lie beside the tests.
    public static let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()
    public static let executable = folder.appending(path: "martlet").path

    public let files: TemporaryDirectory
    private let process: ChildProcess

    /// - Parameters:
    ///   - input: what it reads; nothing without it.
    ///   - errors: where its standard error goes, if that is not the log.
    ///   - preparation: what a shell runs first in its place, for example an ulimit.
    ///   - configuration: the text of "server.conf" in its directory, where it then runs.
    public init(
        _ arguments: [String], executable: String = MartletProcess.executable,
        input: String? = nil, errors: ChildProcess.Stream? = nil, preparation: String? = nil,
        configuration: String? = nil
    ) throws {
        let files = try TemporaryDirectory()
        if let configuration { try files.write("server.conf", configuration) }
        let input = try input.map { ChildProcess.Stream.file(try files.write("stdin", $0)) }
        var command = [executable] + arguments
        if let preparation {
            command = ["/bin/sh", "-c", #"\#(preparation); exec "$0" "$@""#] + command
        }
        self.files = files
        process = try ChildProcess(
            command[0], Array(command.dropFirst()),
            directory: configuration == nil ? nil : files.path,
            input: input ?? .null, output: .file(files.file("stdout")),
            errors: errors ?? .file(files.file("stderr")))
    }

    deinit {
        // Or it might write into its directory again.
        process.signal(SIGKILL)
        process.waitUntilExit()
    }

    public var pid: pid_t { process.pid }
    public var isRunning: Bool { process.isRunning }
    public var output: String { files.text("stdout") }
    public var log: String { files.text("stderr") }

    public func signal(_ number: Int32) { process.signal(number) }

    /// Whether the process ends within some seconds.
    public func ends(within seconds: Double) -> Bool { eventually(seconds) { !process.isRunning } }

    /// The exit code; fails the test if the process does not end.
    public func exitCode(seconds: Double = 10) async throws -> Int32 {
        guard await becomesTrue(seconds, { !process.isRunning }) else { throw TimedOut(log: log) }
        guard case .exit(let code) = process.termination else {
            throw EndedBySignal(termination: process.termination)
        }
        return code
    }

    public func waitForLog(_ text: String, seconds: Double = 10) async throws {
        guard await becomesTrue(seconds, { log.contains(text) }) else { throw TimedOut(log: log) }
    }

    /// The port in the last log line with a text, which ends with an address.
    public func port(after text: String) throws -> Int {
        let line = log.split(separator: "\n").last { $0.contains(text) }
        return try #require(line?.split(separator: ":").last.flatMap { Int($0) })
    }

    // MARK: What it takes from the system

    /// VmRSS in bytes; the process has to run.
    public func residentBytes() throws -> Int { try statusNumber("VmRSS") << 10 }

    /// How many descriptors the kernel has room for without making more.
    public func descriptorTableSize() throws -> Int { try statusNumber("FDSize") }

    private func statusNumber(_ name: String) throws -> Int {
        let line = try status("status").split(separator: "\n").first { $0.hasPrefix(name + ":") }
        let number = line?.split(whereSeparator: \.isWhitespace).dropFirst().first
        return try #require(number.flatMap { Int($0) }, "no \(name)")
    }

    public func openDescriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd").count
    }

    /// User and system time so far.
    public func cpuSeconds() throws -> Double {
        let fields = try status("stat").split(separator: ")").last?.split(separator: " ") ?? []
        try #require(fields.count > 13)
        let (user, system) = (try #require(Double(fields[11])), try #require(Double(fields[12])))
        return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private func status(_ name: String) throws -> String {
        try String(contentsOfFile: "/proc/\(pid)/\(name)", encoding: .utf8)
    }
}
