import Glibc

/// Why a run ended early, in words for whoever started it.
struct LoadFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }

    /// A system call that failed just now.
    static func system(_ call: String) -> LoadFailure {
        LoadFailure(unsafe "\(call): \(String(cString: strerror(errno)))")
    }
}
