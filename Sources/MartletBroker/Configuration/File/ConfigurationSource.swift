import Glibc

/// Reads a configuration file's text, up to a limit.
enum ConfigurationSource {
    /// No file that a person keeps is larger; a device or a log given by mistake is.
    static let bytesMax = 8 << 20

    /// A path within the directory that a file is in.
    static func path(of name: String, besides file: String) -> String {
        guard let slash = file.lastIndex(of: "/") else { return name }
        return file[...slash] + name
    }

    static func text(ofFile path: String) throws(BrokerError) -> String {
        try decode(try bytes(ofFile: path, atMost: bytesMax, "a configuration file"), path)
    }

    /// What a file has, which is at most so much.
    static func bytes(
        ofFile path: String, atMost bytesMax: Int, _ kind: String
    ) throws(BrokerError) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw systemFailure("open", path) }
        defer { close(descriptor) }

        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(descriptor, &chunk, chunk.count)
            guard count >= 0 else { throw systemFailure("read", path) }
            if count == 0 { break }
            bytes += chunk[..<count]
            guard bytes.count <= bytesMax else {
                throw BrokerError(
                    .configuration,
                    "\(path): \(kind) may have \(bytesMax) bytes, this one has more")
            }
        }
        return bytes
    }

    /// Text only: a password that were repaired in silence would never match.
    private static func decode(_ bytes: [UInt8], _ path: String) throws(BrokerError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw BrokerError(.configuration, "\(path): the file is not valid UTF-8")
        }
        guard !bytes.contains(0) else {
            throw BrokerError(.configuration, "\(path): the file has a NUL byte, so it is not text")
        }
        return text
    }

    private static func systemFailure(_ call: String, _ path: String) -> BrokerError {
        let code = errno
        let reason = unsafe String(cString: strerror(code))
        let text = reason.prefix(1).lowercased() + reason.dropFirst()
        return BrokerError(.configuration, "\(call) \(path): \(text)")
    }
}
