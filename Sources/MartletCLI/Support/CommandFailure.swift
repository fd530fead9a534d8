import Glibc
import MartletBroker

/// A failure that ends the command: one message for the user and an exit code.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    let exitCode: Int32

    /// The exit code when somebody says no, or nobody anything.
    static let refused: Int32 = 1
    /// The exit code when there is no connection to a server, or none any more.
    static let disconnected: Int32 = 2
    /// The exit code when the arguments are wrong: what swift-argument-parser exits with, too.
    static let wrongArguments: Int32 = 64

    init(description: String, exitCode: Int32 = CommandFailure.refused) {
        self.description = description
        self.exitCode = exitCode
    }

    init(_ error: BrokerError) { self.init(description: error.message) }

    static func wrongArguments(_ description: String) -> CommandFailure {
        CommandFailure(description: description, exitCode: wrongArguments)
    }

    static func noConnection(_ description: String) -> CommandFailure {
        CommandFailure(description: description, exitCode: disconnected)
    }
}

/// The process's two outputs, unbuffered: what was written survives any exit.
enum Console {
    static func print(_ text: String) { write(Array((text + "\n").utf8), to: STDOUT_FILENO) }
    static func printError(_ text: String) { write(Array((text + "\n").utf8), to: STDERR_FILENO) }

    /// A message and the end of its line. A terminal gets no control characters of whoever sent it, but
    /// line breaks and tabs; a file and another program get the bytes as they are.
    static func write(payload: [UInt8]) -> Bool {
        let isTerminal = isatty(STDOUT_FILENO) == 1
        let shown =
            isTerminal
            ? Array(String(decoding: payload, as: UTF8.self).printable(keeping: ["\n", "\t"]).utf8)
            : payload
        return write(shown + [UInt8(ascii: "\n")], to: STDOUT_FILENO)
    }

    /// Returns whether everything was written; it is not when the reader is gone.
    @discardableResult
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest.removeFirst(count)
        }
        return true
    }
}
