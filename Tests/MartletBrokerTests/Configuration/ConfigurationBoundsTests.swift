import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("Configuration files that are too much", .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct ConfigurationBoundsTests {
    private func failure(_ text: String, _ environment: [String: String] = [:]) -> String? {
        do {
            _ = try ConfigurationFile.parse(text, path: "x.conf", environment: environment)
            return nil
        } catch {
            return error.message
        }
    }

    @Test("16,000 users on one line take seconds at most, in a debug build too")
    func manyUsers() throws {
        let users = (0..<16_000).map { "{user: u\($0), pass: p}" }.joined(separator: ", ")
        let start = ContinuousClock.now
        let configuration = try ConfigurationUnderTest.configure(
            "authorization { users: [\(users)] }")
        #expect(configuration.authorization.users.count == 16_000)
        // Counting the columns from the start of the line for each took minutes.
        #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test("columns are counted on, over lines, letters of several bytes and variables")
    func columns() {
        #expect(
            ConfigurationUnderTest.failure("martlet { äö: 1, b: 2 }")
                == "x.conf:1:10: unknown field \"äö\"\nx.conf:1:19: unknown field \"b\"")
        #expect(
            ConfigurationUnderTest.failure("port: 1\n\n  a: 1\n b: 2")
                == "x.conf:3:3: unknown field \"a\"\nx.conf:4:2: unknown field \"b\"")
    }

    @Test(
        "variables that double each other are refused", arguments: ["[$%, $%]", "{x: $%, y: $%}"])
    func doubling(form: String) {
        let lines = (1...60).map { "v\($0) = " + form.replacing("%", with: "v\($0 - 1)") }
        let reason = failure("v0 = [abc]\n" + lines.joined(separator: "\n"))
        #expect(reason?.contains("Includes and variables come to more than 64 MB") == true)
    }

    @Test("so are those of the environment")
    func doublingEnvironment() {
        var environment = ["V0": "[abc]"]
        for i in 1...40 { environment["V\(i)"] = "[$V\(i - 1), $V\(i - 1)]" }
        let reason = failure("x = $V40", environment)
        #expect(reason?.contains("Includes and variables come to more than 64 MB") == true)
    }

    @Test("values nested by variables are no deeper than others")
    func nestedVariables() {
        let deep = String(repeating: "[", count: 40)
        let close = String(repeating: "]", count: 40)
        let lines = (1...1_000).map { "v\($0) = \(deep)$v\($0 - 1)\(close)" }
        let reason = failure("v0 = 1\n" + lines.joined(separator: "\n"))
        #expect(reason?.contains("Maps and arrays are nested more than 64 deep") == true)
        #expect(failure("v = [[1]]\nx = [[$v]]") == nil)
    }

    @Test("files that include themselves many times are refused soon")
    func includes() throws {
        let directory = try TemporaryDirectory([
            "main": String(repeating: "include main\n", count: 100)
        ])
        #expect(directory.failure()?.contains("files include each other more than 16 deep") == true)
        let bomb = try TemporaryDirectory(
            Dictionary(
                uniqueKeysWithValues: (0..<16).map { depth in
                    let name = depth == 0 ? "main" : "f\(depth)"
                    let next = depth == 15 ? "a: 1" : "include f\(depth + 1)"
                    return (name, String(repeating: next + "\n", count: depth == 15 ? 1 : 40))
                }))
        #expect(
            bomb.failure()?.contains("Includes and variables come to more than 64 MB") == true)
    }

    @Test("a control line has a limit that memory can hold")
    func controlLine() throws {
        #expect(
            ConfigurationUnderTest.failure("max_control_line: 1GB")
                == "x.conf:1:0: max_control_line value is too big")
        #expect(
            try ConfigurationUnderTest.configure("max_control_line: 16MB")
                .limits.controlLineBytesMax == 16 << 20)
    }
}
