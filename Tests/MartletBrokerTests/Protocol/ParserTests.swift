import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite struct ParserTests {
    private static let lines: [(String, String)] = [
        ("PUB foo 5\r\nhello\r\n", "publish foo reply= -1/5 [ 5] {hello}"),
        ("pub foo 5\nhello\r\n", "publish foo reply= -1/5 [ 5] {hello}"),
        ("PuB\tfoo\t\tbar \t005 \r\nhello\r\n", "publish foo reply=bar -1/5 [ 005] {hello}"),
        ("PUB foo 0\r\n\r\n", "publish foo reply= -1/0 [ 0] {}"),
        (
            "PUB   foo.bar   reply.to   2\r\n\r\n\r\n",
            "publish foo.bar reply=reply.to -1/2 [ 2] {\r\n}"
        ),
        ("HPUB foo 3 5\r\nabcde\r\n", "publishWithHeader foo reply= 3/5 [3 5] {abcde}"),
        ("hpub foo bar 0 5\r\nabcde\r\n", "publishWithHeader foo reply=bar 0/5 [0 5] {abcde}"),
        ("SUB foo 1\r\n", "subscribe foo queue= sid=1"),
        ("sub foo.*.> workers abc\r\n", "subscribe foo.*.> queue=workers sid=abc"),
        ("SUB foo 1\n", "subscribe foo queue= sid=1"),
        ("SUB \t foo \t q \t 1 \r\n", "subscribe foo queue=q sid=1"),
        ("UNSUB 1\r\n", "unsubscribe 1 max=0"),
        ("UNSUB 1 17\r\n", "unsubscribe 1 max=17"),
        ("unsub 1 abc\r\n", "unsubscribe 1 max=0"),
        ("PING\r\n", "ping"),
        ("ping  whatever\r\n", "ping"),
        ("PINGPONG\r\n", "ping"),
        ("PONG\n", "pong"),
        ("+OK\r\n", "ignored"),
        ("-ERR 'oops'\r\n", "error 'oops'"),
        ("CONNECT {\"verbose\":false}\r\n", "connect {\"verbose\":false}"),
        ("CONNECT{}\r\n", "connect {}"),
        ("INFO {}\r\n", "info {}"),
        (
            "PUB " + String(repeating: " ", count: 100) + "foo 1\r\nx\r\n",
            "publish foo reply= -1/1 [ 1] {x}"
        ),
        ("SUB " + String(repeating: "\t", count: 100) + "foo 1\r\n", "subscribe foo queue= sid=1"),
    ]

    @Test(arguments: lines)
    func readsEachForm(_ line: String, _ expected: String) {
        #expect(ParserBench().events(line) == [expected])
    }

    @Test(arguments: lines)
    func readsTheSameHoweverItIsCut(_ line: String, _ expected: String) {
        let bytes = Array(line.utf8)
        for cut in 1..<bytes.count {
            #expect(
                ParserBench().events([Array(bytes[..<cut]), Array(bytes[cut...])]) == [expected],
                "cut at \(cut)")
        }
        #expect(ParserBench().events(bytes.map { [$0] }) == [expected], "byte by byte")
    }

    @Test(arguments: testSeeds(60))
    func readsManyTheSameHoweverTheyAreCut(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var all: [UInt8] = []
        var expected: [String] = []
        for _ in 0..<30 {
            let (line, event) = random.pick(Self.lines)
            all += Array(line.utf8)
            expected.append(event)
        }
        #expect(ParserBench().events([all]) == expected)
        var chunks: [[UInt8]] = []
        var rest = all[...]
        while !rest.isEmpty {
            let count = 1 + random.below(random.pick([1, 3, 20, 200]))
            chunks.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        #expect(ParserBench().events(chunks) == expected, "seed \(seed)")
    }

    @Test func aLargePayloadIsTakenApart() {
        let payload = String(repeating: "x", count: 20_000)
        let bytes = Array("PUB big 20000\r\n\(payload)\r\nPING\r\n".utf8)
        let whole = ParserBench().events([bytes])
        #expect(whole == ["publish big reply= -1/20000 [ 20000]\(payload)\r\n", "ping"])
        for cut in [1, 14, 15, 16, 1_000, 20_014, 20_015, 20_016, 20_017, 20_018] {
            #expect(
                ParserBench().events([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole,
                "cut at \(cut)")
        }
    }

    // MARK: Violations

    /// Bytes, and how many of them are still fine.
    private static let violations: [(String, Int, String)] = [
        ("X", 0, "unknownOperation"), ("\r\n", 0, "unknownOperation"),
        (" PING", 0, "unknownOperation"),
        ("PX", 1, "unknownOperation"), ("PUX", 2, "unknownOperation"),
        ("PUBX", 3, "unknownOperation"),
        ("PIx", 2, "unknownOperation"), ("HPUBx", 4, "unknownOperation"),
        ("SUBx", 3, "unknownOperation"),
        ("UNSUBx", 5, "unknownOperation"), ("CONNECx", 6, "unknownOperation"),
        ("+Ox", 2, "unknownOperation"),
        ("\u{10}", 0, "unknownOperation"), ("PUB foo\r\n", 8, "badArguments"),
        ("PUB foo bar baz 5\r\n", 18, "badArguments"), ("PUB foo -1\r\n", 11, "badArguments"),
        ("PUB foo 1234567890\r\n", 19, "badArguments"),
        ("PUB foo 5\r\nhellox", 16, "unknownOperation"),
        ("PUB foo 5\r\nhello\rx", 17, "unknownOperation"), ("HPUB foo 6 5\r\n", 13, "badArguments"),
        ("HPUB foo 5\r\n", 11, "badArguments"), ("SUB foo\r\n", 8, "badArguments"),
        ("SUB a b c d\r\n", 12, "badArguments"), ("UNSUB a b c\r\n", 12, "badArguments"),
        ("PUB foo 2000000\r\n", 16, "payloadTooLarge"),
    ]

    @Test(arguments: violations)
    func refusesAtTheWrongByte(_ line: String, _ fine: Int, _ violation: String) {
        let bytes = Array(line.utf8)
        let before = ParserBench().events([Array(bytes[..<fine])])
        #expect(
            !before.contains { $0.hasPrefix("violation") }, "\(line.debugDescription): \(before)")
        #expect(ParserBench().events([Array(bytes[...fine])]) == ["violation \(violation)"])
        #expect(ParserBench().events(bytes.map { [$0] }) == ["violation \(violation)"])
    }

    @Test func headersMustHaveBeenAskedFor() {
        var bench = ParserBench()
        bench.headers = false
        #expect(bench.events("HPUB foo 0 0\r\n\r\n") == ["violation headersNotSupported"])
        #expect(bench.events("PUB foo 0\r\n\r\n").count == 1)
    }

    // MARK: Limits

    @Test(arguments: ["PUB ", "SUB ", "CONNECT ", "UNSUB "])
    func aControlLineHasALimit(_ verb: String) {
        var bench = ParserBench()
        bench.controlLineBytesMax = 40
        let ends = [
            ("PUB ", " 0\r\n\r\n"), ("SUB ", " 1\r\n"), ("CONNECT ", "\r\n"), ("UNSUB ", "\r\n"),
        ]
        let end = ends.first { $0.0 == verb }!.1
        let argumentEnd = end.split(separator: "\r\n", omittingEmptySubsequences: false)[0].count
        let fits = verb + String(repeating: "a", count: 40 - argumentEnd) + end
        #expect(!bench.events(fits).contains("violation controlLineTooLong"), "\(fits)")
        let over = verb + String(repeating: "a", count: 41 - argumentEnd) + end
        #expect(bench.events(over) == ["violation controlLineTooLong"])
        // It need not be whole to be too long.
        #expect(
            bench.events(verb + String(repeating: "a", count: 41)) == [
                "violation controlLineTooLong"
            ])
        #expect(
            bench.events(verb + String(repeating: "a", count: 40)) == ["kept \(verb.count + 40)"])
    }

    /// A CR anywhere in the line costs one byte before its LF, which then does not count either.
    @Test func aLineWithACarriageReturnInsideHasTheSameLimitHoweverItIsCut() {
        var bench = ParserBench()
        bench.controlLineBytesMax = 40
        for (count, fits) in [(39, true), (40, false)] {
            let line = Array("SUB a\r1 \(String(repeating: "x", count: count - 2))\n".utf8)
            let whole = bench.events([line])
            #expect(whole.contains("violation controlLineTooLong") == !fits, "\(whole)")
            #expect(bench.events(line.map { [$0] }) == whole)
        }
    }

    @Test(arguments: ["PUB", "HPUB", "SUB", "UNSUB", "CONNECT", "INFO", "-ERR"])
    func endlessSpacesAreNotKept(_ verb: String) {
        let spaces = [UInt8](repeating: 0x20, count: 10_000)
        let chunks = [Array(verb.utf8) + spaces] + Array(repeating: spaces, count: 20)
        #expect(ParserBench().events(chunks) == ["kept \(verb.count + 1)"])
    }

    @Test(arguments: ["PUB", "HPUB"])
    func spacesBeforeAnArgumentAreNotKeptWithThePayload(_ verb: String) {
        let spaces = [UInt8](repeating: 0x20, count: 60_000)
        let start = Array(verb.utf8) + spaces
        #expect(ParserBench().events([start + Array("f".utf8)]) == ["kept \(verb.count + 2)"])
        let sizes = verb == "PUB" ? "9000" : "0 9000"
        let chunks = [start + Array("foo \(sizes)\r\n".utf8), Array("abc".utf8)]
        #expect(
            ParserBench().events(chunks) == ["kept \(verb.count + 1 + 4 + sizes.count + 2 + 3)"])
    }

    @Test func anIgnoredRestIsNotKept() {
        let junk = [UInt8](repeating: 0x41, count: 10_000)
        #expect(ParserBench().events([Array("PING".utf8) + junk, junk, junk]) == ["kept 4"])
    }

    @Test func sizesHaveUpToNineDigits() {
        for (digits, size) in [("0", 0), ("000000009", 9), ("123456789", 123_456_789)] {
            let bytes = Array(digits.utf8)
            #expect(Parser.size(bytes, ByteRange(from: 0, to: bytes.count)) == size)
        }
        for digits in ["", "1234567890", "+1", "-1", "1.", "0x1", " 1"] {
            let bytes = Array(digits.utf8) + [0]
            #expect(Parser.size(bytes, ByteRange(from: 0, to: bytes.count - 1)) == -1, "\(digits)")
        }
    }

    // MARK: Fast and slow path

    /// A line that ends in CR LF goes the fast way, one with LF alone the slow one.
    @Test(arguments: testSeeds(20))
    func bothWaysToReadAPublishAgree(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<500 {
            let gap = { (random: inout SeededRandom) in random.pick([" ", " ", "  ", "\t", " \t "])
            }
            let words = (0...random.below(5)).map { _ in
                random.pick([
                    "a", "foo.bar", "3", "0", "12", "x-very-long-subject.with.tokens", "007",
                    "99999999999",
                ])
            }
            var line = random.pick(["PUB", "HPUB", "pub"])
            for word in words { line += gap(&random) + word }
            if random.oneIn(4) { line += gap(&random) }
            let payload = "0123456789abcdef\r\nPING\r\n"
            let fast = ParserBench().operations([Array((line + "\r\n" + payload).utf8)])
            let slow = ParserBench().operations([Array((line + "\n" + payload).utf8)])
            #expect(fast == slow, "seed \(seed): \(line.debugDescription)")
        }
    }

    /// `ParserBench` compares the two wherever the fast path finds something; here it must, or must not.
    @Test(arguments: [
        ("PUB foo 5\r\nhello\r\n", true), ("pub foo 5\r\nhello\r\n", true),
        ("PUB foo 0\r\n\r\n", true), ("PUB foo bar 5\r\nhello\r\n", true),
        ("PUB foo 000000005\r\nhello\r\n", true), ("PUB foo 0000000005\r\nhello\r\n", false),
        ("PUB foo bar 5\r\nhello\r\nPING\r\n", true), ("PUB  foo 5\r\nhello\r\n", false),
        ("PUB foo  5\r\nhello\r\n", false), ("PUB foo 5 \r\nhello\r\n", false),
        ("PUB\tfoo 5\r\nhello\r\n", false), ("PUB foo\t5\r\nhello\r\n", false),
        ("PUB foo 5\nhello\r\n", false), ("PUB foo 5\r\nhell\r\n\n", false),
        ("PUB foo 5\r\nhello\r", false), ("PUB foo 5\r\nhello", false),
        ("PUB foo 100\r\nhello\r\n", false), ("PUB foo x\r\nhello\r\n", false),
        ("PUB foo \r\nhello\r\n", false), ("PUB 5\r\nhello\r\n", false),
        ("PUB foo bar baz 5\r\nhello\r\n", false), ("HPUB foo 0 5\r\nhello\r\n", false),
        ("PUB \(String(repeating: "s", count: 60)) 5\r\nhello\r\n", true),
        ("PUB \(String(repeating: "s", count: 62)) 5\r\nhello\r\n", false),
        ("PUB foo 20\r\n\(String(repeating: "x", count: 20))\r\n", true),
        ("PUB foo 21\r\n\(String(repeating: "x", count: 21))\r\n", false),
    ])
    func theFastPathTakesWholePlainLines(_ text: String, _ takesFastPath: Bool) {
        var bytes = Array(text.utf8)
        let count = bytes.count
        // What an earlier read left behind must not count.
        bytes += Array("\r\n5\r\nhello\r\n".utf8)
        bytes += [UInt8](repeating: 0x20, count: Parser.slack)
        #expect((PublishFastPath(bytes, count, payloadBytesMax: 20) != nil) == takesFastPath)
    }

    /// Whatever the bytes, cutting them does not change what is read.
    @Test(arguments: testSeeds(20))
    func anyBytesReadTheSameHoweverTheyAreCut(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let pieces = [
            "PUB ", "SUB ", "foo", " ", "5", "\r\n", "\n", "\r", "hello", "UNSUB", "PING", "HPUB ",
            "\t", "1", "{}", "CONNECT ",
        ]
        for _ in 0..<300 {
            var bytes: [UInt8] = []
            for _ in 0..<(1 + random.below(12)) {
                bytes += random.oneIn(12) ? random.bytes(2) : Array(random.pick(pieces).utf8)
            }
            let whole = ParserBench().operations([bytes])
            let cut = random.below(bytes.count)
            #expect(
                ParserBench().operations([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole,
                "seed \(seed): \(bytes.asText.debugDescription) cut at \(cut)")
            #expect(
                ParserBench().operations(bytes.map { [$0] }) == whole,
                "seed \(seed): \(bytes.asText.debugDescription)")
        }
    }

    // MARK: Verbs

    @Test func aVerbIsKnownByItsLettersInEitherCase() {
        let verbs: [(String, Verb)] = [
            ("pub", .publish), ("hpub", .publishWithHeader), ("sub", .subscribe),
            ("unsub", .unsubscribe),
            ("ping", .ping), ("pong", .pong), ("connect", .connect), ("info", .info),
            ("+ok", .ignored),
            ("-err", .error),
        ]
        for (name, verb) in verbs {
            for text in [name, name.uppercased()] {
                let bytes = Array(text.utf8)
                #expect(VerbTable.match(bytes, bytes.count)?.verb?.0 == verb)
                for count in 0..<bytes.count {
                    let match = VerbTable.match(bytes, count)
                    #expect(match != nil && match?.verb == nil, "\(text.prefix(count))")
                }
                for i in 0..<bytes.count {
                    var wrong = bytes
                    wrong[i] = UInt8(ascii: "z")
                    #expect(VerbTable.match(wrong, wrong.count) == nil)
                    // Bytes that fold to a letter without being one.
                    wrong[i] = bytes[i] & ~0x60
                    #expect(VerbTable.match(wrong, wrong.count) == nil, "\(text), byte \(i)")
                }
            }
        }
    }
}
