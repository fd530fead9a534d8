import Glibc

/// A variable of the process's environment.
public func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}

/// Whether a sanitizer is at work, whose memory and time come on top.
public var isSanitized: Bool { environment("MARTLET_SANITIZED") == "1" }

/// Set for runs that may take long: `dev/test --all`.
public var isLongRun: Bool { environment("MARTLET_LONG_TESTS") == "1" }

/// Repetitions: a few, or all that are asked for in a long run.
public func repetitions(_ few: Int, long: Int) -> Int { isLongRun ? long : few }
