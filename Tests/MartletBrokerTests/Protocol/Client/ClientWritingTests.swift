import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("What a client writes")
struct ClientWritingTests {
    @Test("PUB without a header, HPUB with one")
    func publish() {
        func frame(_ reply: String?, _ header: String, _ payload: String) -> String {
            PublishFrame.bytes(
                subject: "a.b", reply: reply, header: Array(header.utf8),
                payload: Array(payload.utf8)
            ).asText
        }
        #expect(frame(nil, "", "") == "PUB a.b 0\r\n\r\n")
        #expect(frame("r.1", "", "0123456789") == "PUB a.b r.1 10\r\n0123456789\r\n")
        #expect(
            frame(nil, "NATS/1.0\r\n\r\n", "xyz") == "HPUB a.b 12 15\r\nNATS/1.0\r\n\r\nxyz\r\n")
        #expect(
            frame("r", "NATS/1.0\r\n\r\n", "") == "HPUB a.b r 12 12\r\nNATS/1.0\r\n\r\n\r\n")
    }

    @Test("a broker reads a publish as the client meant it", arguments: testSeeds(50))
    func publishIsRead(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        func noise(_ countMax: Int) -> String {
            let bytes = (0..<random.below(countMax)).map { _ in random.pick(Array("aP \r\n".utf8)) }
            return bytes.asText
        }
        let subject = "s\(random.next())"
        let reply = random.oneIn(2) ? "r\(random.next())" : nil
        let (header, payload) = (noise(300), noise(3_000))
        let frame = PublishFrame.bytes(
            subject: subject, reply: reply, header: Array(header.utf8),
            payload: Array(payload.utf8))
        let (headerBytes, total) = (header.utf8.count, header.utf8.count + payload.utf8.count)
        let expected =
            header.isEmpty
            ? "publish \(subject) reply=\(reply ?? "") -1/\(total) [ \(total)] {\(payload)}"
            : "publishWithHeader \(subject) reply=\(reply ?? "") \(headerBytes)/\(total) "
                + "[\(headerBytes) \(total)] {\(header)\(payload)}"
        #expect(ParserBench().events([frame]) == [expected], "MARTLET_SEED=\(seed)")
    }

    @Test("a broker reads every line as the client meant it")
    func lines() {
        let request = ConnectRequest(
            name: "a \"b\"", credentials: .user("u", password: "p\\"), echo: false,
            hasHeaders: true)
        let text =
            ClientLine.connect(request) + ClientLine.subscribe("a.*", queue: "q", id: 7)
            + ClientLine.subscribe("b", id: 8) + ClientLine.unsubscribe(7)
            + ClientLine.unsubscribe(8, after: 3) + ClientLine.ping + ClientLine.pong
        #expect(
            ParserBench().events(text) == [
                "connect \(request.json)", "subscribe a.* queue=q sid=7",
                "subscribe b queue= sid=8", "unsubscribe 7 max=0", "unsubscribe 8 max=3", "ping",
                "pong",
            ])
    }

    @Test(
        "subjects that can be published and subscribed to, or not",
        arguments: [
            ("a.b", true, true), ("a.*", false, true), (">", false, true), ("a*.b>", true, true),
            ("", false, false), ("a b", false, false), ("a..b", false, false), (".a", false, false),
            ("a.", false, false), ("a.>.b", false, false), ("a\r\nPUB b 0", false, false),
        ])
    func subjects(subject: String, canPublish: Bool, canSubscribe: Bool) {
        func isGood(_ check: (String) throws(BrokerError) -> Void) -> Bool {
            (try? check(subject)) != nil
        }
        #expect(isGood(SubjectCheck.forPublish) == canPublish)
        #expect(isGood(SubjectCheck.forSubscription) == canSubscribe)
    }

    @Test("options of CONNECT are read as they were meant")
    func connectOptions() throws {
        let request = ConnectRequest(
            name: "n", credentials: .token("t\u{1}\""), isVerbose: true, hasHeaders: false)
        let json = Array(request.json.utf8)
        let options = try #require(
            json.withUnsafeBufferPointer {
                ConnectOptions.parse($0.baseAddress!, $0.count, over: ConnectOptions())
            })
        #expect(options.verbose && !options.pedantic && options.echo && !options.headers)
        #expect(options.name == "n" && options.token == "t\u{1}\"")
    }
}
