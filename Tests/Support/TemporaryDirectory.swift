import Foundation

/// A directory for files that is gone with the test.
public final class TemporaryDirectory: Sendable {
    public let path: String

    public init(_ files: [String: String] = [:]) throws {
        path =
            URL(fileURLWithPath: NSTemporaryDirectory())
            .appending(path: "martlet-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        for (name, text) in files { try write(name, text) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a file in it.
    public func file(_ name: String) -> String { "\(path)/\(name)" }

    @discardableResult
    public func write(_ name: String, _ text: String) throws -> String {
        try write(name, Data(text.utf8))
    }

    /// Writes a file, in a directory of its own if the name says so, and gives its path.
    @discardableResult
    public func write(_ name: String, _ bytes: Data) throws -> String {
        let url = URL(fileURLWithPath: file(name))
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try bytes.write(to: url, options: .atomic)
        return url.path
    }

    /// What a file has now; empty if there is none.
    public func text(_ name: String) -> String {
        (try? String(contentsOfFile: file(name), encoding: .utf8)) ?? ""
    }
}
