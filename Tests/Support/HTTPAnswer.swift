import Foundation
import Testing

/// What an HTTP server answered.
public struct HTTPAnswer: Sendable {
    public let status: Int
    public let fields: [String: String]
    public let body: String

    public init(_ text: String) throws {
        let end = try #require(text.range(of: "\r\n\r\n"), "\(text)")
        let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            try #require(parts.count == 2, "\(line)")
            fields[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        let words = lines[0].split(separator: " ")
        status = try #require(words.count > 1 ? Int(words[1]) : nil, "\(lines[0])")
        self.fields = fields
        body = String(text[end.upperBound...])
    }

    /// To a request for `target`, with which the connection ends.
    public static func to(
        _ target: String, port: Int, method: String = "GET"
    ) throws -> HTTPAnswer {
        let connection = try RawClient(port: port)
        try connection.send("\(method) \(target) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        return try HTTPAnswer(connection.readToEnd())
    }
}
