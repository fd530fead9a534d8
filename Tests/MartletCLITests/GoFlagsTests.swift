import MartletBroker
import Testing

@testable import MartletCLI

@Suite("Flags by the rules of Go's flag package")
struct GoFlagsTests {
    @Test(
        "every spelling of a flag means the same",
        arguments: [
            ["-p", "1"], ["-p=1"], ["--p", "1"], ["--port=1"], ["-port", "1"], ["--port", "0x1"],
        ])
    func spellings(arguments: [String]) throws {
        #expect(try given(arguments) == ["\(arguments[0].trimmingDashes)=number(1)"])
    }

    @Test(
        "a switch takes a value only after an equals sign",
        arguments: [
            (["-D"], ["D=toggle(true)"]), (["-D=false"], ["D=toggle(false)"]),
            (["--debug=T"], ["debug=toggle(true)"]), (["-logtime=0"], ["logtime=toggle(false)"]),
            (["-DV", "-p", "1"], ["DV=toggle(true)", "p=number(1)"]),
            (["-VV=false"], ["VV=toggle(false)"]),
        ])
    func switches(arguments: [String], expected: [String]) throws {
        #expect(try given(arguments) == expected)
    }

    @Test("loops are a number or a word")
    func loops() throws {
        #expect(try given(["--loops", "2"]) == ["loops=number(2)"])
        #expect(try given(["--loops=auto"]) == [#"loops=text("auto")"#])
    }

    private func given(_ arguments: [String]) throws -> [String] {
        try GoFlags(arguments).given.map { "\($0.name)=\($0.value)" }
    }

    @Test("the first word that is no flag ends the flags")
    func words() throws {
        let flags = try GoFlags(["-D", "false", "-p", "1"])
        #expect(flags.given.map(\.name) == ["D"])
        #expect(flags.words == ["false", "-p", "1"])
        #expect(try GoFlags(["-D", "--", "-p"]).words == ["-p"])
        #expect(try GoFlags(["-"]).words == ["-"])
    }

    @Test(
        "mistakes get nats-server's messages",
        arguments: [
            (["-x"], "flag provided but not defined: -x"),
            (["--x=1"], "flag provided but not defined: -x"),
            (["-p", "abc"], "invalid value \"abc\" for flag -p: parse error"),
            (["-p"], "flag needs an argument: -p"),
            (["--config"], "flag needs an argument: -config"),
            (["-D=maybe"], "invalid boolean value \"maybe\" for -D: parse error"),
            (["---p"], "bad flag syntax: ---p"),
            (["-=1"], "bad flag syntax: -=1"),
        ])
    func mistakes(arguments: [String], message: String) {
        #expect(throws: GoFlags.Failure(description: message)) { try GoFlags(arguments) }
    }

    @Test(
        "flags of features that this version lacks are named",
        arguments: [
            (["-js"], "js"), (["--tls"], "tls"), (["--tlscert", "a"], "tlscert"),
            (["--routes=x"], "routes"), (["-ms", "1"], "ms"), (["--profile", "2"], "profile"),
            (["--cluster_name", "c"], "cluster_name"), (["-p", "1"], nil), (["-js=false"], nil),
        ])
    func unsupported(arguments: [String], name: String?) throws {
        #expect(ServeOptions(try GoFlags(arguments)).unsupported == name)
    }

    @Test(
        "numbers are read as Go reads them",
        arguments: [
            ("10", 10), ("-1", -1), ("+5", 5), ("0x1F", 31), ("0b11", 3), ("0o17", 15),
            ("017", 15), ("1_000", 1000), ("", nil), ("1a", nil), ("--1", nil), ("08", nil),
        ])
    func numbers(text: String, number: Int?) {
        #expect(GoFlags.integer(text) == number)
    }
}

extension String {
    /// The flag's name, without dashes and value.
    fileprivate var trimmingDashes: Substring { drop { $0 == "-" }.prefix { $0 != "=" } }
}
