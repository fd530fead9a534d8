import Testing

@testable import MartletRules

@Suite("A document is JSON by RFC 8259")
struct JSONScannerTests {
    @Test(arguments: [
        "{}", "[]", "[[]]", "[{}]", " {} ", "\t\r\n[ ]\n", "0", "-0", "-1", "1.5", "1e5", "1E+5",
        "1.25e-3",
        "\"\"", "\"a\"", "true", "false", "null", "[1,2,3]", "{\"a\":1}",
        "{\"a\":{\"b\":[1,{}]},\"c\":[]}",
        "[1 , 2 ]", "{ \"a\" : 1 , \"b\" : 2 }", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
        "\"\\uD83D\\uDE00\"",
        "\"\\u0000\"", "\"é\"", "\"日本語\"", "\"😀\"", "\"\u{7F}\"", "{\"\":0}", "[0.0,-0.0]",
        "[\"a\",null]",
        "{\"a\":[],\"b\":{},\"A\":1}", "  0  ", "\"sixteen bytes ok\"",
        "\"a longer one than sixteen bytes\"",
    ])
    func accepts(text: String) {
        #expect(failure(text) == nil)
    }

    @Test(
        arguments: [
            ("", .empty, 0), ("  ", .empty, 0), ("{", .unexpectedEnd, 1), ("[", .unexpectedEnd, 1),
            ("[1", .unexpectedEnd, 2), ("[1,", .unexpectedEnd, 3), ("{\"a\"", .unexpectedEnd, 4),
            ("{\"a\":", .unexpectedEnd, 5), ("\"abc", .unexpectedEnd, 4),
            ("\"abc\\", .unexpectedEnd, 5),
            ("[1,]", .expectedValue, 3), ("[,1]", .expectedValue, 1),
            ("[1 2]", .expectedCommaOrEnd, 3),
            ("{,}", .expectedKey, 1), ("{\"a\":1,}", .expectedKey, 7), ("{a:1}", .expectedKey, 1),
            ("{\"a\" 1}", .expectedColon, 5), ("{\"a\":}", .expectedValue, 5),
            ("[1}", .expectedCommaOrEnd, 2),
            ("{\"a\":1]", .expectedCommaOrEnd, 6), ("1 2", .trailingBytes, 2),
            ("{} x", .trailingBytes, 3),
            ("[]]", .trailingBytes, 2), ("1,2", .trailingBytes, 1), ("{},", .trailingBytes, 2),
            ("tru", .badLiteral, 0), ("nul ", .badLiteral, 0), ("True", .expectedValue, 0),
            ("falsy", .badLiteral, 0), ("truex", .trailingBytes, 4), ("01", .badNumber, 1),
            ("-", .unexpectedEnd, 1),
            ("-a", .badNumber, 1), ("1.", .unexpectedEnd, 2), ("[1.]", .badNumber, 3),
            ("[1e]", .badNumber, 3),
            ("[1e+]", .badNumber, 4), (".5", .expectedValue, 0), ("+1", .expectedValue, 0),
            ("-01", .badNumber, 2), ("00", .badNumber, 1), ("1e5.5", .trailingBytes, 3),
            ("NaN", .expectedValue, 0),
            ("\"\\x\"", .badEscape, 2), ("\"\\u12g4\"", .badEscape, 3),
            ("\"\\u12\"", .badEscape, 3),
            ("\"\\ud800\"", .loneSurrogate, 1), ("\"\\udc00\"", .loneSurrogate, 1),
            ("\"\\ud800\\ud800\"", .loneSurrogate, 1), ("\"\\ud800\\n\"", .loneSurrogate, 1),
            ("\"a\nb\"", .controlCharacter, 2), ("\"\t\"", .controlCharacter, 1),
            ("[\"a\u{0}\"]", .controlCharacter, 3), ("[\u{0}]", .unexpectedByte, 1),
            ("\u{FEFF}{}", .unexpectedByte, 0),
            ("{\"a\":1,\"a\":2}", .duplicateKey, 7), ("{\"a\":1,\"\\u0061\":2}", .duplicateKey, 7),
            ("{\"\":1,\"\":2}", .duplicateKey, 6), ("[\"a\"", .unexpectedEnd, 4),
            ("'a'", .expectedValue, 0),
        ] as [(String, JSONFailureReason, Int)])
    func refuses(text: String, reason: JSONFailureReason, offset: Int) {
        let found = failure(text)
        #expect(found == JSONFailure(reason, offset), "\(text)")
        #expect(found?.code == 400)
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xC2], [0xC2, 0x22], [0xE0, 0x80, 0x80],
            [0xE0, 0x9F, 0xBF],
            [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xE2, 0x82], [0xF0, 0x80, 0x80, 0x80],
            [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE], [0xE2, 0x28, 0xA1],
            [0xF0, 0x28, 0x8C, 0xBC],
        ] as [[UInt8]])
    func refusesWhatIsNotUTF8(bytes: [UInt8]) {
        for before in 0..<20 {
            let text = [0x22] + [UInt8](repeating: 0x61, count: before) + bytes + [0x22]
            #expect(failure(text) == JSONFailure(.badUTF8, before + 1), "\(bytes) behind \(before)")
        }
    }

    @Test("characters that are looked at together hide none that is no UTF-8", arguments: 0..<12)
    func refusesWhatIsNotUTF8BehindWideCharacters(before: Int) {
        let wide = [UInt8](String(repeating: "世", count: before).utf8)
        let more = [UInt8]("世界世界世界".utf8)
        for bad in [
            [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80], [0xE4, 0xB8], [0xE4], [0x96], [0xC1, 0x81],
        ] as [[UInt8]] {
            let text = [0x22] + wide + bad + more + [0x22]
            #expect(failure(text) == JSONFailure(.badUTF8, wide.count + 1), "\(bad)")
        }
        for good in ["ࠀ", "퟿", "\u{E000}", "\u{FFFF}", "é", "a", "😀"] {
            let text = [0x22] + wide + [UInt8](good.utf8) + more + [0x22]
            #expect(failure(text) == nil, "\(good)")
        }
    }

    @Test("a byte that is no white space ends what is around it", arguments: [0, 1, 0x0B, 0x1F])
    func refusesControlCharactersBetween(byte: UInt8) {
        for before in ["[1", "[\"a\"", "{\"a\":\"b\"", "{\"a\":{}", "[1,\n  2\n"] {
            let text = [UInt8](before.utf8) + [byte] + [UInt8](",1]}".utf8)
            #expect(failure(text) == JSONFailure(.expectedCommaOrEnd, before.utf8.count))
        }
    }

    @Test("every scalar value is a character")
    func acceptsAllScalars() {
        for value in stride(from: UInt32(0x20), through: 0x10FFFF, by: 1) {
            guard let scalar = Unicode.Scalar(value), scalar != "\"", scalar != "\\" else {
                continue
            }
            if value > 0x1000 && value % 61 != 0 && value & 0xFF != 0 && value & 0xFF != 0xFF {
                continue
            }
            #expect(failure("\"\(scalar)\"") == nil, "U+\(value)")
        }
    }

    @Test("a document cut anywhere is no document")
    func refusesEveryPrefix() {
        let text =
            #"{"order":{"id":"a\u00e9\ud83d\ude00é","n":[1,-2.5e+10,true,false,null,{}],"🙂":[]},"z":"日本"}"#
        let bytes = Array(text.utf8)
        #expect(failure(bytes) == nil)
        for count in 0..<bytes.count {
            #expect(failure(Array(bytes[..<count]))?.code == 400, "\(count) bytes")
        }
    }

    @Test("strings of every length around a wide read, anywhere")
    func acceptsStringsOfAnyLength() {
        for before in 0..<40 {
            for length in 0..<40 {
                let blanks = String(repeating: " ", count: before)
                let string = String(repeating: "x", count: length)
                #expect(failure("\(blanks){\"\(string)\":\"\(string)\"}") == nil)
                #expect(failure("\(blanks)[\"\(string)\\n\",\"\(string)é\"]") == nil)
                #expect(
                    failure("\(blanks)[1\(String(repeating: "2", count: length / 2)),0]") == nil)
            }
        }
    }
}

@Suite("A document is within limits")
struct JSONLimitsTests {
    private func limits(_ change: (inout JSONLimits) -> Void) -> JSONLimits {
        var limits = JSONLimits()
        change(&limits)
        return limits
    }

    @Test func depth() {
        let limits = limits { $0.depthMax = 3 }
        #expect(failure("[[[1]]]", limits: limits) == nil)
        #expect(failure("[[[[1]]]]", limits: limits) == JSONFailure(.tooDeep, 3))
        #expect(failure("{\"a\":[{\"b\":[]}]}", limits: limits) == JSONFailure(.tooDeep, 11))
        let deep = String(repeating: "[", count: 100_000)
        #expect(failure(deep)?.code == 413)
    }

    @Test func payload() {
        let limits = limits { $0.payloadBytesMax = 10 }
        #expect(failure("[1,2,3,45]", limits: limits) == nil)
        #expect(failure("[1,2,3,456]", limits: limits) == JSONFailure(.payloadTooLarge, 10))
    }

    @Test func fields() {
        let limits = limits { $0.fieldsMax = 4 }
        #expect(failure("[1,2,3,4]", limits: limits) == nil)
        #expect(failure("[1,2,3,4,5]", limits: limits)?.reason == .tooManyFields)
        #expect(failure("[[1],[2]]", limits: limits) == nil)
        #expect(failure("[[1],[2,3]]", limits: limits)?.reason == .tooManyFields)
        #expect(failure("{\"a\":1,\"b\":2,\"c\":3,\"d\":4}", limits: limits) == nil)
        #expect(
            failure("{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5}", limits: limits)?.reason
                == .tooManyFields)
        #expect(
            failure("[" + String(repeating: "1,", count: 100_000), limits: limits)?.reason
                == .tooManyFields)
    }

    @Test func keys() {
        let limits = limits { $0.keyBytesMax = 20 }
        let key = String(repeating: "k", count: 20)
        #expect(failure("{\"\(key)\":1}", limits: limits) == nil)
        #expect(failure("{\"\(key)k\":1}", limits: limits) == JSONFailure(.keyTooLong, 1))
        #expect(failure("[\"\(key)k\"]", limits: limits) == nil)
    }

    @Test func numbers() {
        let limits = limits { $0.numberDigitsMax = 5 }
        for text in ["-1.2e-345", "-1.2e-3456", "123456", "12345", "1e1234567890"] {
            #expect(failure("[\(text)]", limits: limits) == nil, "what nobody compares is carried")
            let isLong = text.utf8.filter { (0x30...0x39).contains($0) }.count > 5
            var scratch = RuleScratch(limits: limits)
            scan(Array("[\(text)]".utf8), in: &scratch) { outcome in
                guard case .document(let document) = outcome else { return }
                #expect(document.entry(1).isTooLong == isLong, "\(text)")
            }
        }
        #expect(failure(String(repeating: "9", count: 100_000)) == nil)
        #expect(failure("1e" + String(repeating: "9", count: 100_000)) == nil)
    }

    @Test("duplicate keys are found among few and many, in every place")
    func duplicates() {
        for count in [2, 3, 23, 24, 25, 26, 40, 100, 1_000] {
            let keys = (0..<count).map { "\"key\($0)\":{\"a\":0,\"key\($0)\":[{}]}" }
            #expect(failure("{" + keys.joined(separator: ",") + "}") == nil, "\(count)")
            for again in Set([0, 1, count / 2, count - 1]) {
                let text = "{" + keys.joined(separator: ",") + ",\"key\(again)\":1}"
                #expect(failure(text)?.reason == .duplicateKey, "\(count), \(again)")
                let escaped = "{" + keys.joined(separator: ",") + ",\"\\u006bey\(again)\":1}"
                #expect(failure(escaped)?.reason == .duplicateKey, "\(count), \(again)")
            }
        }
    }

    @Test("two large objects within each other keep their keys apart")
    func nestedLargeObjects() {
        let inner = "{" + (0..<60).map { "\"k\($0)\":\($0)" }.joined(separator: ",") + "}"
        let outer = "{" + (0..<60).map { "\"k\($0)\":\(inner)" }.joined(separator: ",") + "}"
        #expect(failure(outer) == nil)
        #expect(failure(outer.dropLast() + ",\"k7\":0}")?.reason == .duplicateKey)
    }
}
