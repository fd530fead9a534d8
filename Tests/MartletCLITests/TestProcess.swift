import Foundation
import Glibc
import MartletTestSupport
import Testing

/// A real process of the executable under test, with its log in a directory of its own.
final class TestProcess {
    struct TimedOut: Error {
        let log: String
    }

    struct EndedBySignal: Error {
        let termination: ChildProcess.Termination?
    }

    let directory: String
    private let process: ChildProcess
    private let outputPath: String
    private let errorPath: String

    /// The executable lies beside the test bundle.
    static var executable: URL {
        let own = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        return own.deletingLastPathComponent().appendingPathComponent("martlet")
    }

    init(
        _ arguments: [String], executable: URL = TestProcess.executable, input: String? = nil,
        errors: Pipe? = nil
    ) throws {
        directory = NSTemporaryDirectory() + "/martlet-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        outputPath = directory + "/stdout"
        errorPath = directory + "/stderr"
        let inputPath = directory + "/stdin"
        try input?.write(toFile: inputPath, atomically: false, encoding: .utf8)
        let errorEnd = errors?.fileHandleForWriting
        process = try ChildProcess(
            executable.path, arguments,
            input: input == nil ? .null : .file(inputPath), output: .file(outputPath),
            errors: errorEnd.map { .descriptor($0.fileDescriptor) } ?? .file(errorPath))
        try errorEnd?.close()
    }

    deinit {
        // Or it might write into the directory again.
        process.signal(SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(atPath: directory)
    }

    var pid: pid_t { process.pid }
    var output: String { (try? String(contentsOfFile: outputPath, encoding: .utf8)) ?? "" }
    var log: String { (try? String(contentsOfFile: errorPath, encoding: .utf8)) ?? "" }

    func signal(_ number: Int32) { process.signal(number) }

    /// The exit code; fails the test if the process does not end.
    func exitCode(seconds: Double = 10) async throws -> Int32 {
        try await wait(seconds) { !self.process.isRunning }
        guard case .exit(let code) = process.termination else {
            throw EndedBySignal(termination: process.termination)
        }
        return code
    }

    func waitForLog(_ text: String, seconds: Double = 10) async throws {
        try await wait(seconds) { self.log.contains(text) }
    }

    /// The port in a log line that ends with an address.
    func port(after text: String) throws -> Int {
        let line = log.split(separator: "\n").last { $0.contains(text) }
        return try #require(line?.split(separator: ":").last.flatMap { Int($0) })
    }

    private func wait(_ seconds: Double, until condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while !condition() {
            guard ContinuousClock.now < deadline else { throw TimedOut(log: log) }
            try await Task.sleep(for: .milliseconds(10))
        }
    }
}
