import Testing

@testable import MartletBroker

@Suite("The configuration grammar")
struct ConfigurationGrammarTests {
    private func json(
        _ text: String, environment: [String: String] = [:]
    ) throws(BrokerError) -> String {
        var parser = ConfigurationParser(text, file: "x.conf", environment: environment)
        return String(decoding: ConfigurationDigest.json(of: try parser.parse()), as: UTF8.self)
    }

    private func failure(_ text: String, environment: [String: String] = [:]) -> String? {
        do {
            _ = try json(text, environment: environment)
            return nil
        } catch {
            return error.message
        }
    }

    @Test(
        "structure: separators, comments, blocks, maps and arrays",
        arguments: [
            ("", "{}"),
            ("  \n# only this\n// and this", "{}"),
            ("a = 1", #"{"a":1}"#),
            ("a: 1", #"{"a":1}"#),
            ("a 1", #"{"a":1}"#),
            ("a\n  1", #"{"a":1}"#),
            ("a=1;b=2, c=3", #"{"a":1,"b":2,"c":3}"#),
            ("a = 1\r\nb = 2\r\n", #"{"a":1,"b":2}"#),
            ("a = 1 # one\nb = x//y#z\n", ##"{"a":1,"b":"x//y#z"}"##),
            ("a {b: 1}", #"{"a":{"b":1}}"#),
            ("a {b:1,}", #"{"a":{"b":1}}"#),
            ("a = {\n b = 1\n c = 2; d = 3, e = 4 }", #"{"a":{"b":1,"c":2,"d":3,"e":4}}"#),
            ("a {\n # x\n b = 1 // y\n }", #"{"a":{"b":1}}"#),
            ("a { b:\n 1 }", #"{"a":{"b":1}}"#),
            ("a [\n 1\n 2, 3 # c\n {b: 4} ]", #"{"a":[1,2,3,{"b":4}]}"#),
            ("a = [1,2]", #"{"a":[1,2]}"#),
            ("a = [x, y,]", #"{"a":["x","y"]}"#),
            ("a = []\nb = {}", #"{"a":[],"b":{}}"#),
            ("{ \"a\": 1, \"b\": { \"c\": [ true ] } }", #"{"a":1,"b":{"c":[true]}}"#),
            ("{ { a: 1 }\n # x\n }\n# y", #"{"a":1}"#),
            ("{a: 1\n", #"{"a":1}"#),
            ("a {b: 1}\n}\n", #"{"a":{"b":1}}"#),
            ("a = 1\na = 2", #"{"a":2}"#),
            (
                "'a b' = 1\n\"c:d\" 2\na {'e f': 3, \"g=h\": 4}",
                #"{"a":{"e f":3,"g=h":4},"a b":1,"c:d":2}"#
            ),
        ])
    func structure(text: String, expected: String) throws {
        #expect(try json(text) == expected)
    }

    @Test(
        "scalars",
        arguments: [
            ("true", "true"), ("TRUE", "true"), ("yes", "true"), ("On", "true"),
            ("false", "false"), ("No", "false"), ("OFF", "false"),
            ("enabled", #""enabled""#), ("'true'", #""true""#), ("\"true\"", #""true""#),
            ("22", "22"), ("-22", "-22"), ("-2k", "-2000"),
            ("8k", "8000"), ("4kb", "4096"), ("3Ki", "3072"), ("4KiB", "4096"),
            ("1m", "1000000"), ("2MB", "2097152"), ("2g", "2000000000"), ("1GiB", "1073741824"),
            ("1t", "1000000000000"), ("1tb", "1099511627776"), ("1p", "1000000000000000"),
            ("1PiB", "1125899906842624"), ("1e", "1000000000000000000"),
            ("7eb", "8070450532247928832"),
            ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("2.5", "2.5"), ("-0.5", "-0.5"), ("3.0", "3"),
            ("2016-05-04T18:53:41Z", #""2016-05-04T18:53:41Z""#),
            ("2024-02-29T00:00:00Z", #""2024-02-29T00:00:00Z""#),
            ("127.0.0.1", #""127.0.0.1""#), ("127.0.0.1:4222", #""127.0.0.1:4222""#),
            ("localhost:4222", #""localhost:4222""#), (":4222", #"":4222""#),
            ("nats://a:b@c.d:1", #""nats://a:b@c.d:1""#),
            ("10s", #""10s""#), ("1e3", #""1e3""#), ("3Gyz", #""3Gyz""#), ("12ab", #""12ab""#),
            ("5'10x", #""5'10x""#), ("1\\27.0", #""1\\27.0""#), ("5k'", #""5k""#),
            ("a\\tb", #""a\tb""#), ("a\\x41", #""aA""#), ("tr\\x75e", #""true""#),
            ("'it\\n'", #""it\\n""#), (#""a\"\\\t\n\r""#, #""a\"\\\t\n\r""#),
            ("\"two\nlines\"", #""two\nlines""#), ("'two\nlines'", #""two\nlines""#),
            ("(\na (b)\n)", #""\na (b)\n""#), ("( x\n) y\n)", #"" x\n) y\n""#),
            ("ø", #""ø""#), ("", #""""#),
            ("$2a$11$ooo", #""$2a$11$ooo""#), ("$2b$11$o/.o", #""$2b$11$o/.o""#),
            ("$2y$11$ooo", #""$2y$11$ooo""#),
        ])
    func scalars(text: String, expected: String) throws {
        #expect(try json("v = \(text)") == "{\"v\":\(expected)}")
    }

    @Test(
        "syntax errors with their position",
        arguments: [
            ("a {\n", "2:1", "Unexpected EOF processing map."),
            ("port = \n", "1:7", "Expected value but found new line"),
            (
                "\na = [1,2\n", "3:1",
                "Expected an array value terminator \",\" or an array terminator \"]\", but got "
                    + "the end of the file instead."
            ),
            (": 5", "1:0", "Unexpected key separator ':'"),
            ("a = \"b", "1:6", "Unexpected EOF: a \" is missing"),
            ("a = 'b", "1:6", "Unexpected EOF: a ' is missing"),
            ("'a", "1:2", "Unexpected EOF: a ' is missing"),
            ("a = (b\n", "2:1", "Unexpected EOF processing block."),
            ("a { ] }", "1:4", "Unexpected array end ']' processing map."),
            ("a {b: }", "1:6", "Expected a value for key 'b' but got '}'"),
            ("a {b: ,}", "1:6", "Expected a value for key 'b' but got ','"),
            ("a [1,,2]", "1:5", "Unexpected array value terminator ','."),
            (
                "a = [1 2]", "1:7",
                "Expected an array value terminator \",\" or an array terminator \"]\", but got "
                    + "'2' instead."
            ),
            (
                "a = \"x\" y", "1:8",
                "Expected a top-level value to end with a new line, comment or EOF, but got 'y' "
                    + "instead."
            ),
            (
                "{a: x y}", "1:6",
                "Expected a block-level value to end with a new line, comment or EOF, but got 'y' "
                    + "instead."
            ),
            (
                "a {b: x y}", "1:8",
                "Expected a map value terminator \",\" or a map terminator \"}\", but got 'y' "
                    + "instead."
            ),
            ("a = -x", "1:5", "Expected a digit but got 'x'."),
            ("a = -.5", "1:5", "Floats must start with a digit, not '.'."),
            ("a = .5", "1:4", "Floats must start with a digit"),
            (
                "a = 5.x", "1:6",
                "Floats must have a digit after the '.', but got 'x' instead."
            ),
            ("a = 12-01", "1:6", "All ISO8601 dates must be in full Zulu form."),
            (
                "a = 2020-01-01\n", "1:14",
                "Expected 'T' in ISO8601 datetime, but found '\\n' instead."
            ),
            ("a = 2020-x", "1:9", "Expected digit in ISO8601 datetime, but found 'x' instead."),
            (
                "é = \"\\q\"", "1:7",
                "Invalid escape character 'q'. Only the following escape characters are allowed: "
                    + "\\xXX, \\t, \\n, \\r, \\\", \\\\."
            ),
            ("a = \"\\xZZ\"", "1:9", "Expected two hexadecimal digits after '\\x', but got 'ZZ'"),
            ("a = \"\\xff\"", "1:10", "The escapes of this string do not make valid UTF-8"),
            ("include 5", "1:8", "Expected include value but found start of a number"),
            ("include [", "1:8", "Expected include value but found start of an array"),
            ("include {", "1:8", "Expected include value but found start of a map"),
            ("include \n", "1:8", "Expected include value but found new line"),
        ])
    func syntaxErrors(text: String, position: String, reason: String) {
        let line = position.split(separator: ":")[0]
        #expect(failure(text) == "Parse error on line \(line): '\(reason)' (x.conf:\(position))")
    }

    @Test(
        "other errors with their position",
        arguments: [
            ("port", "config is invalid (x.conf:1:4)"),
            ("a,b,c\n", "config is invalid (x.conf:2:1)"),
            (
                "a = 99999999999999999999",
                "x.conf:1:4: integer '99999999999999999999' is out of the range"
            ),
            ("a = 9eb", "x.conf:1:4: integer '9eb' is out of the range"),
            ("a = 1kbb", "x.conf:1:4: 'kbb' in '1kbb' is not a size unit"),
            (
                "a = 1.0\nb = \(String(repeating: "9", count: 400)).0",
                "x.conf:2:5: float '\(String(repeating: "9", count: 400)).0' is out of the range"
            ),
            (
                "a = 2016-13-04T18:53:41Z",
                "x.conf:1:4: expected Zulu formatted DateTime, but got '2016-13-04T18:53:41Z'"
            ),
            (
                "a = 2023-02-29T18:53:41Z",
                "x.conf:1:4: expected Zulu formatted DateTime, but got '2023-02-29T18:53:41Z'"
            ),
            (
                "a = 2016-02-04T24:00:00Z",
                "x.conf:1:4: expected Zulu formatted DateTime, but got '2016-02-04T24:00:00Z'"
            ),
            ("\nfoo = $bar", "x.conf:2:7: variable reference for 'bar' on line 2 can not be found"),
        ])
    func otherErrors(text: String, expected: String) {
        #expect(failure(text) == expected)
    }

    @Test("nesting has a limit, and a stack of brackets does not crash")
    func depth() throws {
        let deepest = ConfigurationParser.depthMax
        let fits =
            "a = " + String(repeating: "[", count: deepest)
            + String(repeating: "]", count: deepest)
        #expect(failure(fits) == nil)
        for opener in ["[", "{a ", "{"] {
            let text = (opener == "{" ? "" : "a ") + String(repeating: opener, count: 100_000)
            #expect(
                failure(text)?.contains("Maps and arrays are nested more than 64 deep") == true)
        }
    }

    @Test("an unclosed block is taken, as in nats-server, with a warning")
    func unclosedBlock() throws {
        #expect(
            try ConfigurationUnderTest.warnings("\n {port: 1\n")
                == ["x.conf:2:2: the '}' of this '{' is missing"])
    }

    // MARK: Variables

    @Test(
        "variables see their block, then those around it",
        arguments: [
            ("i = 22\nfoo = $i", #"{"foo":22,"i":22}"#),
            (
                "i = 22\nn { i = 11\n foo = $i }\nbar = $i",
                #"{"bar":22,"i":22,"n":{"foo":11,"i":11}}"#
            ),
            ("i = {a: 1}\nl = [$i, {b: $i}]", #"{"i":{"a":1},"l":[{"a":1},{"b":{"a":1}}]}"#),
            ("foo = $HOME_OF", #"{"foo":"outside"}"#),
            ("HOME_OF = here\nfoo = $HOME_OF", #"{"HOME_OF":"here","foo":"here"}"#),
            ("foo = '$HOME_OF'\nbar = \"$HOME_OF\"", ##"{"bar":"$HOME_OF","foo":"$HOME_OF"}"##),
            ("foo = $NUMBER", #"{"foo":4096}"#),
            ("foo = $CHAIN", #"{"foo":4096}"#),
            ("foo = $MAP", #"{"foo":{"a":[1,true]}}"#),
            ("foo = $QUOTED", #"{"foo":"3xyz"}"#),
            ("foo = $EMPTY", #"{"foo":""}"#),
        ])
    func variables(text: String, expected: String) throws {
        let environment = [
            "HOME_OF": "outside", "NUMBER": "4kb", "CHAIN": "$NUMBER", "MAP": "{a: [1, yes]}",
            "QUOTED": "'3xyz'", "EMPTY": "",
        ]
        #expect(try json(text, environment: environment) == expected)
    }

    @Test("variables that refer to each other are an error")
    func variableCycle() {
        let environment = ["A": "$B", "B": "$A", "C": "$C"]
        let cycle = failure("x = $A", environment: environment)
        #expect(cycle?.hasPrefix("x.conf:1:4: variable reference for 'A' on line 1 could") == true)
        #expect(cycle?.hasSuffix("variable reference cycle for 'A'") == true)
        #expect(
            failure("x = $C", environment: environment)?.hasSuffix("cycle for 'C'") == true)
    }

    @Test("a broken environment variable names itself")
    func brokenVariable() {
        #expect(
            failure("x = $A", environment: ["A": "[1"])
                == "x.conf:1:4: variable reference for 'A' on line 1 could not be parsed: "
                + "Parse error on line 1: 'Expected an array value terminator \",\" or an array "
                + "terminator \"]\", but got the end of the file instead.' ($A:1:5)")
    }
}
