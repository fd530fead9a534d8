import Testing

@testable import MartletRules

/// A scanned document with the values of all pointers, for the length of `use`.
private func withDocument<Result>(
    _ text: String, _ pointers: PointerSet,
    _ use: (JSONDocument, UnsafePointer<JSONSlot>, borrowing RuleScratch) throws -> Result
) throws -> Result {
    let tree = try pointers.tree()
    var scratch = RuleScratch()
    let slots = UnsafeMutablePointer<JSONSlot>.allocate(capacity: pointers.pointers.count + 1)
    defer { slots.deallocate() }
    let bytes = Array(text.utf8)
    let outcome = bytes.withUnsafeBufferPointer { scratch.scan($0.baseAddress!, count: $0.count) }
    guard case .document(let document) = outcome else { throw RuleError("no document: \(outcome)") }
    tree.find(in: document, into: slots)
    return try use(document, slots, scratch)
}

/// What is written to a buffer of just so many bytes.
private func written(
    capacity: Int = 1_000, _ write: (UnsafeMutablePointer<UInt8>, Int) -> Int?
) -> String? {
    let buffer = UnsafeMutablePointer<UInt8>.allocate(capacity: max(capacity, 1))
    defer { buffer.deallocate() }
    return write(buffer, capacity).map { count in
        String(decoding: UnsafeBufferPointer(start: buffer, count: count), as: UTF8.self)
    }
}

@Suite("Conditions decide by content")
struct ConditionTests {
    private func holds(_ condition: String, _ document: String) throws -> ConditionOutcome {
        var pointers = PointerSet()
        let compiled = try Condition(json: Array(condition.utf8), pointers: &pointers)
        return try withDocument(document, pointers) { document, slots, scratch in
            compiled.holds(for: document, slots, in: scratch)
        }
    }

    @Test(
        arguments: [
            (#"{}"#, #"1"#, true), (#"{"/a":["x"]}"#, #"{"a":"x"}"#, true),
            (#"{"/a":["x"]}"#, #"{"a":"y"}"#, false),
            (#"{"/a":["x","y"]}"#, #"{"a":"y"}"#, true), (#"{"/a":"x"}"#, #"{"a":"\u0078"}"#, true),
            (#"{"/a":[1]}"#, #"{"a":1.0}"#, true), (#"{"/a":[null]}"#, #"{"a":null}"#, true),
            (#"{"/a":[null]}"#, #"{}"#, false),
            (#"{"/a":[true]}"#, #"{"a":"true"}"#, false),
            (#"{"/a":["x"],"/b":["y"]}"#, #"{"a":"x","b":"y"}"#, true),
            (#"{"/a":["x"],"/b":["y"]}"#, #"{"a":"x"}"#, false),
            (#"{"/a":["x"]}"#, #"{"a":["y","x"]}"#, true),
            (#"{"/a":["x"]}"#, #"{"a":[["x"]]}"#, false), (#"{"/a":["x"]}"#, #"{"a":[]}"#, false),
            (#"{"/a/0":["x"]}"#, #"{"a":["x"]}"#, true), (#"{"":[5]}"#, #"5"#, true),
            (#"{"/n":[{"numeric":[">=",100]}]}"#, #"{"n":100}"#, true),
            (#"{"/n":[{"numeric":[">=",100]}]}"#, #"{"n":99.999}"#, false),
            (#"{"/n":[{"numeric":[">",0,"<=",5]}]}"#, #"{"n":5e0}"#, true),
            (#"{"/n":[{"numeric":[">",0,"<=",5]}]}"#, #"{"n":0}"#, false),
            (#"{"/n":[{"numeric":["=",5]}]}"#, #"{"n":"5"}"#, false),
            (#"{"/n":[{"numeric":["<",0]},"x"]}"#, #"{"n":"x"}"#, true),
            (#"{"/a":[{"exists":true}]}"#, #"{"a":null}"#, true),
            (#"{"/a":[{"exists":true}]}"#, #"{"a":[]}"#, true),
            (#"{"/a":[{"exists":false}]}"#, #"{"b":1}"#, true),
            (#"{"/a":[{"exists":false}]}"#, #"{"a":1}"#, false),
            (#"{"/a":[{"exists":false},"x"]}"#, #"{"a":"x"}"#, true),
            (#"{"/a":[{"prefix":"or"}]}"#, #"{"a":"order"}"#, true),
            (#"{"/a":[{"prefix":"or"}]}"#, #"{"a":"o"}"#, false),
            (#"{"/a":[{"suffix":"é"}]}"#, #"{"a":"caf\u00e9"}"#, true),
            (#"{"/a":[{"suffix":"ab"}]}"#, #"{"a":"b"}"#, false),
            (#"{"/a":[{"suffix":""}]}"#, #"{"a":"b"}"#, true),
            (#"{"/a":[{"equals-ignore-case":"GOLD"}]}"#, #"{"a":"Gold"}"#, true),
            (#"{"/a":[{"equals-ignore-case":"GOLD"}]}"#, #"{"a":"golden"}"#, false),
            (#"{"/a":[{"equals-ignore-case":"@"}]}"#, #"{"a":"`"}"#, false),
            (#"{"/a":[{"wildcard":"a*c"}]}"#, #"{"a":"abbc"}"#, true),
            (#"{"/a":[{"wildcard":"a*c"}]}"#, #"{"a":"abbcd"}"#, false),
            (#"{"/a":[{"wildcard":"a\\*c"}]}"#, #"{"a":"a*c"}"#, true),
            (#"{"/a":[{"wildcard":"a\\*c"}]}"#, #"{"a":"abc"}"#, false),
            (#"{"/a":[{"wildcard":"(.*"}]}"#, #"{"a":"(.\n"}"#, true),
            (#"{"/a":[{"anything-but":["x","y"]}]}"#, #"{"a":"z"}"#, true),
            (#"{"/a":[{"anything-but":["x","y"]}]}"#, #"{"a":"y"}"#, false),
            (#"{"/a":[{"anything-but":"x"}]}"#, #"{}"#, false),
            (#"{"/a":[{"anything-but":{"prefix":"x"}}]}"#, #"{"a":"xy"}"#, false),
            (#"{"/a":[{"anything-but":{"prefix":"x"}}]}"#, #"{"a":"yx"}"#, true),
            (#"{"$or":[{"/a":["x"]},{"/b":["y"]}]}"#, #"{"b":"y"}"#, true),
            (#"{"$or":[{"/a":["x"]},{"/b":["y"]}]}"#, #"{"b":"x"}"#, false),
            (#"{"$or":[{"/a":["x"]},{"/b":["y"]}],"/c":[1]}"#, #"{"a":"x","c":1}"#, true),
            (#"{"$or":[{"/a":["x"]},{"/b":["y"]}],"/c":[1]}"#, #"{"a":"x","c":2}"#, false),
        ] as [(String, String, Bool)])
    func decides(condition: String, document: String, expected: Bool) throws {
        #expect(try holds(condition, document) == (expected ? .holds : .fails))
    }

    @Test(arguments: [
        (#"[]"#, "a condition is an object of pointers and alternatives"),
        (#"{"a":["x"]}"#, "a JSON Pointer is empty or begins with /: a"),
        (#"{"/a":[]}"#, "#/a: has no alternative"),
        (#"{"/a":[["x"]]}"#, "#/a: an alternative is a value or an object with a matcher"),
        (#"{"/a":[{}]}"#, "#/a: an object here has one matcher, such as prefix"),
        (#"{"/a":[{"prefix":1}]}"#, "#/a: prefix: is a string"),
        (#"{"/a":[{"exists":1}]}"#, "#/a: exists: is true or false"),
        (
            #"{"/a":[{"numeric":[">"]}]}"#,
            "#/a: numeric: is a comparison or two, such as [\">=\", 0, \"<\", 100]"
        ),
        (#"{"/a":[{"numeric":["~",1]}]}"#, "#/a: numeric: compares with <, <=, =, >= or >"),
        (#"{"/a":[{"numeric":["=","1"]}]}"#, "#/a: numeric: compares with numbers"),
        (
            #"{"/a":[{"anything-but":[{"exists":true}]}]}"#,
            "#/a: anything-but: takes values, prefix, suffix, wildcard and equals-ignore-case"
        ),
        (
            #"{"/a":[{"cidr":"10.0.0.0/8"}]}"#,
            "#/a: cidr: is no matcher; there are exists, prefix, suffix, equals-ignore-case, wildcard, numeric and anything-but"
        ),
        (#"{"$or":[]}"#, "$or: is a list of conditions"),
        (#"{"$or":[{"$or":[{}]}]}"#, "$or: is not within another one"),
    ])
    func errorsSayWhere(condition: String, message: String) {
        var pointers = PointerSet()
        let error = #expect(throws: RuleError.self) {
            try Condition(json: Array(condition.utf8), pointers: &pointers)
        }
        #expect(error?.description == message)
    }
}

@Suite("Templates fill in values and nothing else")
struct TemplateTests {
    private func render(
        _ template: String, _ purpose: Template.Purpose = .subject,
        subject: String = "orders.new.42",
        header: String = "NATS/1.0\r\nX-A: b \r\nX-AB:c\r\nX-A:d\r\n\r\n",
        source: String = "orders.*.*",
        payload: String = "{}", capacity: Int = 200
    ) throws -> String {
        var pointers = PointerSet()
        let compiled = try Template(template, for: purpose, source: source, pointers: &pointers)
        return try withDocument(payload, pointers) { document, slots, _ in
            var failure: TemplateFailure?
            let text = written(capacity: capacity) { buffer, capacity in
                Array(subject.utf8).withUnsafeBufferPointer { subject in
                    Array((header + " ").utf8).withUnsafeBufferPointer { header in
                        let message = RuleMessage(
                            subject: subject.baseAddress!, subjectCount: subject.count,
                            header: header.baseAddress!, headerCount: header.count - 1)
                        switch compiled.render(
                            message, document, slots, into: buffer, capacity: capacity)
                        {
                        case .rendered(let count): return count
                        case .failure(let reason):
                            failure = reason
                            return nil
                        }
                    }
                }
            }
            return text ?? "\(failure!)"
        }
    }

    @Test(arguments: [
        ("orders", "orders"), ("orders.{{wildcard(1)}}.{{wildcard(2)}}", "orders.new.42"),
        ("a.{{ Wildcard( 2 ) }}x", "a.42x"),
        ("a.{{header(X-A)}}", "a.b"), ("a.{{header(X-AB)}}", "a.c"),
        ("a.{{header(X-B)}}", "missing"), ("a.{{header(x-a)}}", "missing"),
        ("a.{{json(/id)}}", "a.ord-1"), ("a.{{json(/n)}}", "a.-7"), ("a.{{json(/t)}}", "a.true"),
        ("a.{{json(/u)}}", "a.é"),
        ("a.{{json(/f)}}", "badToken"), ("a.{{json(/null)}}", "badToken"),
        ("a.{{json(/o)}}", "badToken"),
        ("a.{{json(/none)}}", "missing"), ("a.{{json(/empty)}}", "badToken"),
        ("a.{{json(/o/b)}}-{{json(/n)}}", "a.x--7"),
        ("a.{{json($.o.b)}}", "a.x"), ("a.{{json(/p)q)}}", "a.y"),
    ])
    func subjects(template: String, expected: String) throws {
        let payload =
            #"{"id":"ord-1","n":-7,"t":true,"u":"\u00e9","f":1.5,"null":null,"o":{"b":"x"},"empty":"","p)q":"y"}"#
        #expect(try render(template, payload: payload) == expected)
    }

    @Test(
        "a payload cannot choose more than a part of a token",
        arguments: [
            "a.b", "*", ">", "a b", "a\\tb", "a\\r\\nPUB x 1", "a\\u0000", "\\u002e", "\\u003e",
            "$JS.API", " ", "\\u007f",
        ])
    func injection(value: String) throws {
        #expect(try render("a.{{json(/v)}}", payload: "{\"v\":\"\(value)\"}") == "badToken")
    }

    @Test("what is too long is told so, wherever it comes from")
    func tooLong() throws {
        let long = String(repeating: "x", count: 65)
        let header = "NATS/1.0\r\nX-A: \(long)\r\n\r\n"
        #expect(try render("a.{{json(/v)}}", payload: "{\"v\":\"\(long)\"}") == "tooLong")
        #expect(
            try render("a.{{json(/v)}}", payload: "{\"v\":\"\(long.dropLast())\"}")
                == "a.\(long.dropLast())")
        #expect(
            try render("a.{{json(/v)}}", payload: "{\"v\":\(String(repeating: "7", count: 65))}")
                == "tooLong")
        let digits = String(repeating: "7", count: 60)
        #expect(try render("a.{{json(/v)}}", payload: "{\"v\":-\(digits)}") == "a.-\(digits)")
        #expect(try render("a.{{json(/v)}}", payload: "{\"v\":\(digits).5}") == "badToken")
        #expect(try render("a.{{json(/v)}}", payload: "{\"v\":\(digits)e5}") == "badToken")
        #expect(try render("a.{{header(X-A)}}", header: header) == "tooLong")
        #expect(try render("a.{{wildcard(2)}}", subject: "orders.1.\(long)") == "tooLong")
        let longer = String(repeating: "é", count: 129)
        #expect(try render("{{json(/v)}}", .header, payload: "{\"v\":\"\(longer)\"}") == "tooLong")
    }

    @Test("a field behind an empty line, or behind an unusual line end, is none or is one for all")
    func headersEndAtTheEmptyLine() throws {
        for (block, expected) in [
            ("NATS/1.0\r\n\r\nX-A: b\r\n\r\n", "missing"),
            ("NATS/1.0\r\n\nX-A: b\r\n\r\n", "missing"),
            ("NATS/1.0\n\nX-A: b\n", "missing"), ("NATS/1.0\r\rX-A: b\r\n", "missing"),
            ("NATS/1.0\r\nY: 1\rX-A: b\r\n\r\n", "a.b"), ("NATS/1.0\nX-A: b\r\n\r\n", "a.b"),
            ("NATS/1.0\r\nX-A:b\rc\r\n\r\n", "badToken"),
            ("NATS/1.0\r\n X-A: b\r\n\r\n", "missing"),
            ("NATS/1.0\r\nX-A: b", "a.b"), ("NATS/1.0", "missing"), ("NATS/1.0\r", "missing"),
        ] {
            #expect(
                try render("a.{{header(X-A)}}", header: block) == expected,
                "\(block.debugDescription)")
        }
    }

    @Test func subjectWildcardsAndHeadersAreGuardedToo() throws {
        #expect(try render("a.{{wildcard(1)}}", subject: "orders.*.2") == "badToken")
        #expect(try render("a.{{wildcard(2)}}", subject: "orders.new") == "missing")
        #expect(
            try render("a.{{header(X-A)}}", header: "NATS/1.0\r\nX-A: a.b\r\n\r\n") == "badToken")
        #expect(try render("a.{{header(X-A)}}", header: "") == "missing")
        #expect(try render("a.{{header(X-A)}}", header: "NATS/1.0 503\r\nX-A:") == "badToken")
    }

    @Test func headersTakeSpacesButNoLines() throws {
        #expect(
            try render("v={{json(/v)}};", .header, payload: #"{"v":"a b.c\u0009*"}"#)
                == "v=a b.c\t*;")
        #expect(try render("{{json(/v)}}", .header, payload: #"{"v":1.50}"#) == "1.50")
        #expect(try render("{{json(/v)}}", .header, payload: #"{"v":""}"#) == "")
        for bad in [#""a\r\nX: y""#, #""a\nb""#, #""\u0000""#, #""\u007f""#, "[]", "null"] {
            #expect(try render("{{json(/v)}}", .header, payload: "{\"v\":\(bad)}") == "badToken")
        }
    }

    @Test func theBufferIsNotOverrun() throws {
        for capacity in 0..<9 {
            #expect(
                try render("ab.{{json(/v)}}", payload: #"{"v":"wxyz0"}"#, capacity: capacity)
                    == (capacity < 8 ? "noRoom" : "ab.wxyz0"))
        }
    }

    @Test(arguments: [
        "{{json(/a)}}.b", "x{{json(/a)}}.b", "a.{{json(/a)", "a.{{json}}", "a.{{jsn(/a)}}",
        "a.{{json(a)}}", "a.{{wildcard(3)}}",
        "a.{{wildcard(0)}}", "a.{{wildcard(x)}}", "a.{{header()}}", "a.{{header(a:b)}}", "a..b",
        "a.", "", "a b", "a.*", "a.>", ".a",
    ])
    func refuses(template: String) {
        var pointers = PointerSet()
        #expect(throws: RuleError.self) {
            try Template(template, for: .subject, source: "orders.*.*", pointers: &pointers)
        }
    }
}

@Suite("Replies and reports are written without a tree")
struct ReplyTests {
    @Test func picksValues() throws {
        var pointers = PointerSet()
        let reply = try PickedReply(
            [
                ("id", try JSONPointer("/id")), ("t\"x", try JSONPointer("/a/b")),
                ("none", try JSONPointer("/c")),
            ],
            pointers: &pointers)
        try withDocument(#"{"a":{"b":[1, {"c":"\u00e9"}]},"id":"x\n"}"#, pointers) {
            document, slots, _ in
            let whole = #"{"id":"x\n","t\"x":[1, {"c":"\u00e9"}],"none":null}"#
            #expect(written { reply.write(document, slots, into: $0, capacity: $1) } == whole)
            for capacity in 0..<whole.utf8.count {
                #expect(
                    written(capacity: capacity) {
                        reply.write(document, slots, into: $0, capacity: $1)
                    } == nil)
            }
        }
        let empty = try PickedReply([], pointers: &pointers)
        try withDocument("{}", pointers) { document, slots, _ in
            #expect(written { empty.write(document, slots, into: $0, capacity: $1) } == "{}")
        }
        #expect(throws: RuleError.self) {
            try PickedReply(
                [("a", JSONPointer(tokens: [])), ("a", JSONPointer(tokens: []))],
                pointers: &pointers)
        }
    }

    @Test(arguments: [
        (
            #"{"properties":{"total":{"minimum":0}}}"#, #"{"id":1,"total":-5}"#,
            #""code":"minimum","path":"/total","keyword":"/properties/total/minimum","offset":16"#,
            "/total must be >= 0"
        ),
        (
            #"{"required":["a","b\n"]}"#, #"{"a":1}"#,
            #""code":"required","path":"","keyword":"/required","offset":0"#,
            "the document must have b?"
        ),
        (
            #"{"required":["z","y","x","w","v","u"]}"#, #"{"z":1}"#,
            #""code":"required","path":"","keyword":"/required","offset":0"#,
            "the document must have y"
        ),
        (
            #"{"items":{"properties":{"a/~b":{"type":"string"}}}}"#, #"[{},{"x":[0],"a\/~b":1}]"#,
            #""code":"type","path":"/1/a~1~0b","keyword":"/items/properties/a~1~0b/type","offset":21"#,
            "/1/a~1~0b must be of another type"
        ),
        (
            #"{"additionalProperties":false}"#, #"{"é\n\"":"x"}"#,
            #""code":"additionalProperties","path":"/é\n\"","keyword":"/additionalProperties","offset":10"#,
            #"/é\n\" is not allowed"#
        ),
        (
            #"{"propertyNames":{"maxLength":1}}"#, #"{"a":{},"bc":2}"#,
            #""code":"maxLength","path":"/bc","keyword":"/propertyNames/maxLength","offset":8"#,
            "/bc must not be longer than 1"
        ),
        (
            #"{"properties":{"a":{"anyOf":[{"type":"null"},{"const":"x"}]}}}"#, #"{"a":1}"#,
            #""code":"anyOf","path":"/a","keyword":"/properties/a/anyOf","offset":5"#,
            "/a must match at least one schema"
        ),
        (
            #"{"not":{"type":"object"}}"#, "{}",
            #""code":"not","path":"","keyword":"/not","offset":0"#,
            "the document must not match the schema"
        ),
    ])
    func reports(schema: String, document: String, report: String, message: String) throws {
        let schema = try JSONSchema(Array(schema.utf8), file: "schema.json")
        try withDocument(document, PointerSet()) { document, _, scratch in
            guard case .violation(let violation) = schema.validate(document, in: scratch) else {
                Issue.record("valid")
                return
            }
            #expect(
                written { schema.writeReport(of: violation, in: document, into: $0, capacity: $1) }
                    == report)
            #expect(
                written { schema.writeMessage(of: violation, in: document, into: $0, capacity: $1) }
                    == message)
            #expect(
                written(capacity: 20) {
                    schema.writeReport(of: violation, in: document, into: $0, capacity: $1)
                } == nil)
        }
    }
}
