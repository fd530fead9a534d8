import Testing

@testable import MartletMonitor

@Suite("Requests of the monitoring port")
struct HTTPRequestTests {
    private func request(_ target: String) throws -> HTTPRequest {
        try #require(HTTPRequest(head: Array("GET \(target) HTTP/1.1\r\nHost: x\r\n".utf8)))
    }

    @Test("path and query are decoded, the first of a name counts")
    func query() throws {
        let request = try request("/a%20b?x=1%2B2+3&x=9&empty&%24G=%zz&e=")
        #expect(request.path == "/a b")
        #expect(request.query.value("x") == "1+2 3")
        #expect(request.query.value("empty").isEmpty && request.query.value("e").isEmpty)
        #expect(request.query.value("$G") == "%zz")
        #expect(request.query.value("absent").isEmpty)
    }

    @Test(
        "an absolute target is the same request",
        arguments: ["http://x/a?b=c", "HTTPS://x:80/a?b=c", "/a?b=c"])
    func absolute(target: String) throws {
        let request = try request(target)
        #expect(request.path == "/a" && request.query.value("b") == "c" && request.redirect == nil)
        #expect(try self.request("http://x").path == "/")
        #expect(try self.request("http://x?b=c").query.value("b") == "c")
    }

    @Test(
        "empty and dot elements lead to where nats-server sends them",
        arguments: [
            ("//varz", "/varz"), ("/a/../varz", "/varz"), ("/./varz?x=1", "/varz?x=1"),
            ("//", "/"), ("/varz/..", "/"), ("http://h//healthz", "/healthz"), ("/a/./b/", "/a/b/"),
        ])
    func redirects(target: String, location: String) throws {
        #expect(try request(target).redirect == location)
    }

    @Test("other paths stay", arguments: ["/varz", "/varz/", "/%2e%2e/varz", "/", "/a...b"])
    func stays(target: String) throws {
        #expect(try request(target).redirect == nil)
    }

    @Test(
        "what is no request",
        arguments: ["", "GET /", "GET  / HTTP/1.1", "GET x HTTP/1.1", "a b c"])
    func malformed(line: String) {
        #expect(HTTPRequest(head: Array("\(line)\r\n".utf8)) == nil)
    }

    @Test(
        "bad parameters get nats-server's texts",
        arguments: [
            ("auth=x", "boolean for 'auth': strconv.ParseBool: parsing \"x\": invalid syntax"),
            ("subs=xx", "boolean for 'subs': strconv.ParseBool: parsing \"xx\": invalid syntax"),
            ("limit=x", "int for 'limit': strconv.Atoi: parsing \"x\": invalid syntax"),
            (
                "offset=99999999999999999999",
                "int for 'offset': strconv.Atoi: parsing \"99999999999999999999\": "
                    + "value out of range"
            ),
            ("cid=x", "uint64 for 'cid': strconv.ParseUint: parsing \"x\": invalid syntax"),
            ("state=q", "state for q"),
        ])
    func mistakes(query: String, message: String) throws {
        let request = try request("/connz?\(query)")
        #expect(throws: QueryFailure(message: "Error decoding \(message)")) {
            try ConnzQuery(request.query)
        }
    }

    @Test(
        "bad orders get nats-server's texts",
        arguments: [
            ("sort=zz", "invalid sorting option: zz"),
            ("sort=stop", "sort by stop only valid on closed connections"),
            ("sort=reason&state=any", "sort by reason only valid on closed connections"),
        ])
    func orders(query: String, message: String) throws {
        let request = try request("/connz?\(query)")
        #expect(throws: QueryFailure(message: message)) { try ConnzQuery(request.query) }
    }

    @Test("good parameters")
    func parameters() throws {
        let query = try ConnzQuery(
            request("/connz?subs=DETAIL&auth=T&offset=-1&limit=0&state=ALL").query)
        #expect(query.showsSubscriptionDetail && !query.showsSubscriptions && query.showsAuth)
        #expect(query.offset == 0 && query.limit == 1_024 && query.state == .any)
        #expect(try ConnzQuery(request("/connz?cid=7&limit=50").query).limit == 1)
        #expect(try ConnzQuery(request("/connz?sort=stop&state=closed").query).order == .stop)
        #expect(throws: QueryFailure.self) { try Subsz.Query(request("/subsz?test=a.*").query) }
    }
}
