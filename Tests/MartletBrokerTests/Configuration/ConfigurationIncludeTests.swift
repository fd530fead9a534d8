import Foundation
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("Included configuration files")
struct ConfigurationIncludeTests {
    private func digest(_ text: String) throws -> String {
        try ConfigurationFile.parse(text, path: "x.conf", environment: [:]).digest
    }

    @Test("an include puts a file's keys where it stands, relative to the file that has it")
    func nested() throws {
        let directory = try TemporaryDirectory([
            "main": "port: 1\ninclude sub/a\nm { include 'b'; k: $B }\ninclude \"./c\"; z: 2",
            "sub/a": "a: 1\ninclude b",
            "sub/b": "{ sub: true }",
            "b": "B: [x]",
            "c": "# nothing",
        ])
        let same = "a: 1, m { B: [x], k: [x] }, port: 1, sub: true, z: 2"
        #expect(try directory.load().digest == digest(same))
    }

    @Test("a slash in front of an include does not leave the directory, as in nats-server")
    func absolute() throws {
        let directory = try TemporaryDirectory(["main": "include /sub/a", "sub/a": "a: 1"])
        #expect(try directory.load().digest == digest("a: 1"))
    }

    @Test("variables do not reach into an included file, the environment does")
    func variables() throws {
        let directory = try TemporaryDirectory(["main": "V: 1\ninclude a", "a": "x: $V"])
        #expect(
            directory.failure()
                == "main:2:9: error parsing include file 'a', a:1:3: variable reference for 'V' "
                + "on line 1 can not be found")
        #expect(try directory.load(["V": "2"]).digest == digest("V: 1, x: 2"))
    }

    @Test("a key that a variable in an included file uses may have any name")
    func usedVariables() throws {
        let directory = try TemporaryDirectory([
            "main": "include a", "a": "MY_PORT: 5000\nport: $MY_PORT",
        ])
        var configuration = BrokerConfiguration()
        try directory.load().apply(to: &configuration)
        #expect(configuration.port == 5000)
    }

    @Test("errors name the included file")
    func errors() throws {
        let missing = try TemporaryDirectory(["main": "\n include 'nope'"])
        #expect(
            missing.failure()
                == "main:2:10: error parsing include file 'nope', open nope: no such file or "
                + "directory")
        let folder = try TemporaryDirectory(["main": "include sub", "sub/a": ""])
        #expect(
            folder.failure()
                == "main:1:8: error parsing include file 'sub', read sub: is a directory")
        let syntax = try TemporaryDirectory(["main": "include a", "a": "\nx = {"])
        #expect(
            syntax.failure()
                == "main:1:8: error parsing include file 'a', Parse error on line 2: "
                + "'Unexpected EOF processing map.' (a:2:6)")
        let value = try TemporaryDirectory(["main": "include a", "a": "\nport: x"])
        var configuration = BrokerConfiguration()
        let file = try value.load()
        let error = #expect(throws: BrokerError.self) { try file.apply(to: &configuration) }
        #expect(error?.message == "\(value.path)/a:2:1: \"port\" takes an integer, not a string")
    }

    @Test("files that include each other are an error, not a crash")
    func cycle() throws {
        let directory = try TemporaryDirectory(["main": "include a", "a": "include main"])
        #expect(
            directory.failure()?.hasSuffix("files include each other more than 16 deep") == true)
    }

    @Test("a file that is no text is an error")
    func noText() throws {
        let empty = try TemporaryDirectory()
        #expect(empty.failure() == "open main: no such file or directory")
        let directory = try TemporaryDirectory(["main": "include raw"])
        try directory.write("raw", Data([0x61, 0xff]))
        #expect(directory.failure()?.hasSuffix("raw: the file is not valid UTF-8") == true)
        try directory.write("raw", Data([0x61, 0]))
        #expect(directory.failure()?.hasSuffix("a NUL byte, so it is not text") == true)
    }

    @Test("a file has a size limit")
    func size() throws {
        let text = String(repeating: "#", count: ConfigurationSource.bytesMax)
        let fits = try TemporaryDirectory(["main": text])
        #expect(fits.failure() == nil)
        let tooLarge = try TemporaryDirectory(["main": text + "#"])
        #expect(
            tooLarge.failure()
                == "main: a configuration file may have 8388608 bytes, this one has more")
    }
}
