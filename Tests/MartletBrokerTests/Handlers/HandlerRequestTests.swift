import MartletRules
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("What a handler sees and answers", .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct HandlerRequestTests {
    @Test(
        "a request comes with its subject, headers and payload, and gets its reply",
        arguments: [1, 2, 4])
    func echo(loops: Int) async throws {
        try await withBroker(loops: loops) { broker in
            try broker.respond(to: "echo.*", queue: "q") { request in
                // `#expect` takes no value that cannot be copied apart.
                let (reply, wantsReply) = (request.replySubject, request.wantsReply)
                #expect(wantsReply && reply?.hasPrefix("_INBOX.") == true)
                let tokens = (request.subjectToken(1), request.subjectToken(2))
                #expect(tokens.0 == "me" && tokens.1 == nil)
                let names = (request.header("X-Name"), request.header("X"), request.headers)
                #expect(names.0 == "first" && names.1 == nil)
                #expect(names.2.values(of: "X-Name") == ["first", "second"])
                let (count, payload) = (request.payloadCount, request.payload)
                #expect(count == 5 && payload == Array("hello".utf8))
                let sum = request.withPayload { span in
                    (0..<span.byteCount).reduce(0) {
                        $0 + Int(unsafe span.unsafeLoad(fromByteOffset: $1, as: UInt8.self))
                    }
                }
                let before = request.isAnswered
                try request.reply("\(request.subject) \(request.text) \(sum)", headers: ["A": "b"])
                let after = request.isAnswered
                #expect(!before && after)
            }
            let client = try await broker.connect()
            var headers: InProcessHeaders = [:]
            headers.append("X-Name", "first")
            headers.append("X-Name", "second")
            let answer = try await client.request("hello", to: "echo.me", headers: headers)
            #expect(answer.text == "echo.me hello 532")
            #expect(answer.headers["A"] == "b")
        }
    }

    @Test("fields of JSON are read by pointer, whatever their kind")
    func fields() async throws {
        try await withBroker { broker in
            let fields = ["/id", "/n", "/x", "/on", "/none", "/list/1", "/o", "/esc", "/long"]
            try broker.respond(to: "json", fields: fields) { request in
                let (id, on, notBool) = try (
                    request.string("/id"), request.bool("/on"), request.bool("/id")
                )
                #expect(id == "ä1" && on == true && notBool == nil)
                let (n, number, x, exponent, long) = try (
                    request.integer("/n"), request.number("/n"), request.integer("/x"),
                    request.number("/x"), request.integer("/long")
                )
                #expect(n == -42 && number == -42 && x == nil && exponent == 150 && long == nil)
                let (none, noString, element, object) = try (
                    request.kind("/none"), request.string("/none"), request.integer("/list/1"),
                    request.kind("/o")
                )
                #expect(none == nil && noString == nil && element == 7 && object == .object)
                let escaped = try request.string("/esc")
                #expect(escaped == "a\"\\/\n\u{8}é😀z")
                let copy = try request.withJSON("/o") { span in
                    unsafe span.withUnsafeBytes { unsafe Array($0) }
                }
                do {
                    _ = try request.string("/other")
                    Issue.record("a field that was not named cannot be read")
                } catch let error as BrokerError {
                    #expect(error.code == .unknownField)
                }
                try request.reply(copy ?? [])
            }
            let client = try await broker.connect()
            let text = #"""
                {"id":"ä1","n":-42,"x":1.5e2,"on":true,"list":[1,7],"o":{"a": 1},
                "esc":"a\"\\\/\n\b\u00e9\uD83D\uDE00z","long":9223372036854775808}
                """#
            for _ in 0..<3 {
                #expect(try await client.request(text, to: "json").text == #"{"a": 1}"#)
            }
        }
    }

    @Test("what is no JSON is answered with 400, what is over a limit with 413")
    func badJSON() async throws {
        try await withBroker { broker in
            var limits = JSONLimits()
            limits.payloadBytesMax = 100
            try broker.respond(to: "json", fields: ["/a"], jsonLimits: limits) { request in
                try request.reply("\(try request.integer("/a") ?? -1)")
            }
            let client = try await broker.connect()
            for text in ["", "{", "[1,]", "{\"a\":1}x"] {
                let answer = try await client.request(text, to: "json")
                #expect(answer.headers["Nats-Service-Error-Code"] == "400")
                #expect(answer.headers["Nats-Service-Error"]?.hasPrefix("JSON: ") == true)
            }
            let long = try await client.request(String(repeating: " ", count: 101), to: "json")
            #expect(long.headers["Nats-Service-Error-Code"] == "413")
            #expect(try await client.request("{\"a\":3}", to: "json").text == "3")
        }
    }

    @Test("a schema's violation is answered with 422, the place for people and for programs")
    func schema() async throws {
        let schema = try JSONSchema(
            Array(#"{"properties":{"total":{"minimum":0}},"required":["total"]}"#.utf8),
            file: "order.json")
        try await withBroker { broker in
            try broker.respond(to: "check") { request in
                try request.validate(schema)
                try request.reply("fine")
            }
            let client = try await broker.connect()
            #expect(try await client.request(#"{"total":1}"#, to: "check").text == "fine")
            let answer = try await client.request(#"{"total":-1}"#, to: "check")
            #expect(answer.headers["Nats-Service-Error-Code"] == "422")
            #expect(answer.headers["Nats-Service-Error"] == "/total must be >= 0")
            #expect(answer.text.contains(#""path":"/total""#))
        }
    }

    @Test("a reply that is written piece by piece arrives whole, one after another")
    func writer() async throws {
        try await withBroker { broker in
            try broker.respond(to: "write") { request in
                try request.reply { writer in
                    writer.write("n=")
                    for number in [0, 7, -1, Int.max, Int.min] {
                        writer.write(number)
                        writer.write(byte: UInt8(ascii: " "))
                    }
                    writer.write(json: "a\"\\\n")
                    request.withPayload { writer.write($0) }
                }
            }
            let client = try await broker.connect()
            for text in ["first", "second"] {
                let answer = try await client.request(text, to: "write").text
                #expect(
                    answer == "n=0 7 -1 \(Int.max) \(Int.min) \"a\\\"\\\\\\u000a\"\(text)")
            }
        }
    }

    @Test("only one reply is sent, none without a reply subject, and none that is too large")
    func oneReply() async throws {
        try await withBroker(changing { $0.limits.payloadBytesMax = 1_000 }) { broker in
            let registration = try broker.respond(to: "once") { request in
                do throws(BrokerError) {
                    try request.reply([UInt8](repeating: 0, count: 1_001))
                    Issue.record("the broker takes no such payload")
                } catch {
                    #expect(error.code == .payloadTooLarge)
                }
                try request.reply("one")
                try request.reply("two")
            }
            let client = try await broker.connect()
            try await client.publish("", to: "once")
            let answers = try await client.subscribe("answers")
            try await client.publish("", to: "once", reply: "answers")
            #expect(try await client.request("", to: "once").text == "one")
            // What came before the end can still be read.
            try await client.flush()
            try await answers.unsubscribe()
            #expect(try await answers.rest().map(\.text) == ["one"])
            #expect(registration.failedRequests == 3)
        }
    }

    @Test("errors become ADR-32 headers; what is not meant for others is not told")
    func errors() async throws {
        struct Secret: Error {}
        try await withBroker { broker in
            let registration = try broker.respond(to: "fail") { request in
                switch request.text {
                case "known":
                    throw ServiceError(
                        code: 422, description: "two\r\nlines", body: Array("body".utf8))
                case "silent": return
                case "": throw Secret()
                default: try request.reply("fine")
                }
            }
            let client = try await broker.connect()
            let known = try await client.request("known", to: "fail")
            #expect(known.headers["Nats-Service-Error"] == "two  lines" && known.text == "body")
            #expect(known.headers["Nats-Service-Error-Code"] == "422")
            let secret = try await client.request("", to: "fail")
            #expect(secret.headers["Nats-Service-Error"] == "internal error")
            #expect(secret.headers["Nats-Service-Error-Code"] == "500" && secret.text.isEmpty)
            await #expect(throws: BrokerError.self) {
                try await client.request("silent", to: "fail", timeout: .milliseconds(50))
            }
            #expect(try await client.request("more", to: "fail").text == "fine")
            #expect(registration.failedRequests == 2)
        }
    }

    @Test("without headers, errors have only their body")
    func withoutHeaders() async throws {
        try await withBroker(changing { $0.disablesHeaders = true }) { broker in
            try broker.respond(to: "fail") { _ in
                throw ServiceError(code: 422, description: "no", body: Array("body".utf8))
            }
            let client = try await broker.connect()
            #expect(try await client.request("", to: "fail").text == "body")
        }
    }
}
