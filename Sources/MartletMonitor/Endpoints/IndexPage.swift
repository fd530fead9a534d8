import MartletBroker

extension MonitorEndpoint {
    static let index = MonitorEndpoint(
        path: "/",
        answer: .page(contentType: "text/html; charset=utf-8") {
            IndexPage.html(
                basePath: Monitor.basePath($0.broker.configuration.monitoring.basePath),
                serverName: $0.broker.snapshot().serverName)
        })
}

/// `/`: links to the rest.
enum IndexPage {
    static func html(basePath: String, serverName: String) -> String {
        let links = MonitorEndpoint.all.map(\.path).filter { $0 != "/" }
            .map { "<li><a href=\"\(basePath)\($0)\">\($0.dropFirst())</a></li>" }
            .joined(separator: "\n")
        return """
            <!doctype html>
            <html lang="en">
            <head><meta charset="utf-8"><title>Martlet</title></head>
            <body>
            <h1>Martlet</h1>
            <p>\(escaped(serverName))</p>
            <ul>
            \(links)
            </ul>
            </body>
            </html>

            """
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            default: result.append(character)
            }
        }
        return result
    }
}
