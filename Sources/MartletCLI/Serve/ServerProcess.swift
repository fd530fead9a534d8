import FoundationEssentials
import Glibc
import MartletBroker

/// A Martlet server that runs on this machine, as /proc shows it.
struct ServerProcess {
    let id: pid_t
    /// What it was started with.
    private let arguments: [String]

    /// Nil for a process that is none, or of somebody else whose signals it would not take either.
    init?(_ id: pid_t) {
        guard let executable = Self.executable(of: id),
            executable == Self.executable(of: getpid()) || executable.hasSuffix("/martlet"),
            let words = Self.words(of: "cmdline", id), !words.isEmpty
        else { return nil }
        var arguments = words.dropFirst()
        if let first = arguments.first, Martlet.clientCommands.contains(first) { return nil }
        if arguments.first == "serve" { arguments = arguments.dropFirst() }
        self.id = id
        self.arguments = Array(arguments)
    }

    /// Every one but this process itself.
    static func running() -> [ServerProcess] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { $0 != getpid() }.sorted()
            .compactMap { ServerProcess($0) }
    }

    /// Reads the configuration as the server would at a reload. Throws what the server would log, as far as
    /// that can be known from outside it.
    func checkConfiguration() throws {
        guard sharesFiles else { return }
        let options = ServeOptions(try GoFlags(arguments))
        guard let path = options.configurationPath else { throw ServerReload.fileIsMissing }
        let place = path.hasPrefix("/") ? path : "/proc/\(id)/cwd/\(path)"
        let environment = Self.words(of: "environ", id) ?? []
        let pairs = environment.compactMap { word -> (String, String)? in
            guard let equals = word.firstIndex(of: "=") else { return nil }
            return (String(word[..<equals]), String(word[word.index(after: equals)...]))
        }
        _ = try ServeConfiguration(
            options, path: place, environment: Dictionary(pairs, uniquingKeysWith: { $1 }))
    }

    /// Whether a path means the same for it and for this process: not across containers.
    private var sharesFiles: Bool {
        Self.link("ns/mnt", of: id) == Self.link("ns/mnt", of: getpid())
    }

    /// The path of the program, also when it has been replaced meanwhile.
    private static func executable(of process: pid_t) -> String? {
        guard
            let path = try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/\(process)/exe")
        else { return nil }
        let deleted = " (deleted)"
        return path.hasSuffix(deleted) ? String(path.dropLast(deleted.count)) : path
    }

    private static func link(_ name: String, of process: pid_t) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/\(name)")
    }

    private static func words(of file: String, _ process: pid_t) -> [String]? {
        guard let data = FileManager.default.contents(atPath: "/proc/\(process)/\(file)") else {
            return nil
        }
        return data.split(separator: 0, omittingEmptySubsequences: false).dropLast()
            .map { String(decoding: $0, as: UTF8.self) }
    }
}
