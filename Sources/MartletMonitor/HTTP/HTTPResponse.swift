/// An answer, whole: monitoring builds it in memory before any byte is sent.
struct HTTPResponse: Sendable {
    var status = 200
    var contentType = "application/json"
    var fields: [(name: String, value: String)] = []
    var body: [UInt8] = []

    static func json(_ body: [UInt8]) -> HTTPResponse {
        HTTPResponse(fields: [("Access-Control-Allow-Origin", "*")], body: body)
    }

    static func text(_ text: String, status: Int) -> HTTPResponse {
        HTTPResponse(
            status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    /// To another path of this server, with nats-server's text.
    static func redirect(to location: String) -> HTTPResponse {
        let shown = location.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;").replacing("\"", with: "&#34;")
        return HTTPResponse(
            status: 307, contentType: "text/html; charset=utf-8",
            fields: [("Location", location)],
            body: Array("<a href=\"\(shown)\">Temporary Redirect</a>.\n\n".utf8))
    }

    static let notFound = text("404 page not found\n", status: 404)
    static let badRequest = text("400 Bad Request", status: 400)
    static let busy = text("503 Service Unavailable: too many requests wait\n", status: 503)
    static let headTooLarge = text("431 Request Header Fields Too Large", status: 431)

    /// The bytes on the wire; `HEAD` gets the header alone.
    func bytes(includesBody: Bool) -> [UInt8] {
        var head = "HTTP/1.1 \(status) \(Self.reasons[status] ?? "Unknown")\r\n"
        head += "Content-Type: \(contentType)\r\n"
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        head += "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        return Array(head.utf8) + (includesBody ? body : [])
    }

    private static let reasons = [
        200: "OK", 307: "Temporary Redirect", 400: "Bad Request", 404: "Not Found",
        405: "Method Not Allowed",
        431: "Request Header Fields Too Large", 500: "Internal Server Error",
        503: "Service Unavailable",
    ]
}
