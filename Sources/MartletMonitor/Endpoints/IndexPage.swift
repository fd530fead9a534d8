/// `/`: links to the rest.
enum IndexPage {
    static func html(basePath: String, serverName: String) -> String {
        let links = ["varz", "connz", "subsz", "rulesz", "metrics", "healthz"]
            .map { "<li><a href=\"\(basePath)/\($0)\">\($0)</a></li>" }
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
