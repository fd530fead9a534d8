import Testing

@testable import MartletBroker

@Suite("Headers")
struct InProcessHeadersTests {
    @Test("headers come back as they were written")
    func headers() throws {
        var headers: InProcessHeaders = ["A": "1", "B": " two: words "]
        headers.append("A", "")
        let parsed = InProcessHeaders.parse(try headers.encoded())
        #expect(parsed.status == nil)
        #expect(parsed.headers.values(of: "A") == ["1", ""])
        #expect(parsed.headers["B"] == "two: words")
        #expect(parsed.headers["b"] == nil)
        #expect(InProcessHeaders.parse(Array("NATS/1.0 503\r\n\r\n".utf8)).status == 503)
    }

    @Test(
        "a header that would break the line is refused",
        arguments: [
            ("", "x"), ("a b", "x"), ("a:b", "x"), ("a\r", "x"), ("ä", "x"), ("a", "x\r\ny"),
            ("a", "\n"),
        ])
    func badHeaders(name: String, value: String) {
        let error = #expect(throws: BrokerError.self) {
            try InProcessHeaders(dictionaryLiteral: (name, value)).encoded()
        }
        #expect(error?.code == .header)
    }
}
