import Testing

@testable import MartletRules

@Suite("Pointers name values")
struct PointerTests {
    /// The values as written, nil for what is not there.
    private func values(_ pointers: [String], in text: String) throws -> [String?] {
        let tree = try PointerTree(pointers.map { try JSONPointer($0) })
        var scratch = RuleScratch()
        var slots = [JSONSlot](repeating: .missing, count: pointers.count)
        let bytes = Array(text.utf8)
        try scan(bytes, in: &scratch) { outcome in
            guard case .document(let document) = outcome else {
                throw RuleError("no document: \(outcome)")
            }
            slots.withUnsafeMutableBufferPointer { tree.find(in: document, into: $0.baseAddress!) }
        }
        return try pointers.map { pointer in
            let slot = slots[tree.slotIndex(of: try JSONPointer(pointer))!]
            let slice = slot.slice
            return slot.isPresent
                ? String(decoding: bytes[slice.offset..<slice.offset + slice.length], as: UTF8.self)
                : nil
        }
    }

    @Test("the examples of RFC 6901")
    func examples() throws {
        let text =
            #"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#
        let found = try values(
            [
                "", "/foo", "/foo/0", "/", "/a~1b", "/c%d", "/e^f", "/g|h", "/i\\j", "/k\"l", "/ ",
                "/m~0n",
            ],
            in: text)
        #expect(
            found == [
                text, #"["bar","baz"]"#, "\"bar\"", "0", "1", "2", "3", "4", "5", "6", "7", "8",
            ])
    }

    @Test func missingValues() throws {
        let found = try values(
            ["/a/b", "/c/0", "/d/01", "/d/-", "/d/2", "/d/1", "/e", "/d/length"],
            in: #"{"a":1,"c":{"0":2},"d":[3,4]}"#)
        #expect(found == [nil, "2", nil, nil, nil, "4", nil, nil])
    }

    @Test("escaped keys are found by what they mean")
    func escapedKeys() throws {
        #expect(try values(["/name/é"], in: #"{"n\u0061me":{"\u00e9":true}}"#) == ["true"])
        #expect(try values([#"/a\u0061"#], in: #"{"aa":1,"a\\u0061":2}"#) == ["2"])
    }

    @Test("indices go up and deep")
    func indices() throws {
        let text = "[0,[1,[2,[3]]],\"x\",{\"y\":[4,5]}]"
        let found = try values(["/3/y/1", "/1/1/1/0", "/0", "/1/0", "/10", "/2"], in: text)
        #expect(found == ["5", "3", "0", "1", nil, "\"x\""])
    }

    @Test func singularPathsAreTheSame() throws {
        #expect(try JSONPointer("$.a.b_1[0]").description == "/a/b_1/0")
        #expect(try JSONPointer("$").description == "")
        for bad in [
            "$..a", "$.a[*]", "$.a[?(@.b)]", "$.a[-1]", "$[00]", "$.", "$a", "a/b", "/~2", "/~",
        ] {
            #expect(throws: RuleError.self, "\(bad)") { try JSONPointer(bad) }
        }
    }
}
