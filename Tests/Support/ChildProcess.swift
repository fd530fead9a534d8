import Foundation
import Glibc

/// A program that a test runs; it is killed when this goes.
///
/// Foundation's own class copies a whole dirent from the end of readdir's buffer when it starts a
/// child on Linux. Now and then that lies behind mapped memory, and ends every test at once.
///
/// SAFETY: `ended` belongs to `lock`, a lock that the thread sanitizer follows; the rest is constant.
public final class ChildProcess: @unchecked Sendable {
    /// What one of the three standard descriptors is in the child.
    public enum Stream {
        case null
        /// Created, or emptied, when it is written to.
        case file(String)
        /// Stays open in the parent: whoever reads a pipe to its end has to close the writing end.
        case descriptor(Int32)
    }

    public enum Termination: Equatable, Sendable {
        case exit(Int32)
        case signal(Int32)
    }

    public let pid: pid_t
    private let lock = NSLock()
    private var ended: Termination?

    public init(
        _ executable: String, _ arguments: [String], directory: String? = nil,
        input: Stream = .null, output: Stream = .null, errors: Stream = .descriptor(STDERR_FILENO)
    ) throws {
        var command = [executable] + arguments
        if let directory {
            // Swift's Glibc module lacks posix_spawn_file_actions_addchdir_np, and a shell tells of
            // what it cannot start by an exit code alone.
            for path in [directory, executable] where access(path, X_OK) != 0 {
                throw StartFailure(path: path, code: errno)
            }
            command = ["/bin/sh", "-c", #"cd "$0" && exec "$@""#, directory] + command
        }
        pid = try spawn(command, [input, output, errors])
    }

    deinit {
        signal(SIGKILL)
        waitUntilExit()
    }

    /// Nil as long as it runs.
    public var termination: Termination? {
        lock.withLock {
            reap()
            return ended
        }
    }

    public var isRunning: Bool { termination == nil }

    /// Does nothing once it has ended: its number may be another's then.
    public func signal(_ number: Int32) {
        lock.withLock {
            reap()
            if ended == nil { kill(pid, number) }
        }
    }

    public func waitUntilExit() {
        // Without the lock, so that others may ask and signal meanwhile; they may reap it too.
        while isRunning {
            var information = siginfo_t()
            waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT)
        }
    }

    /// Keeps how it ended, if it has; called with the lock.
    private func reap() {
        guard ended == nil else { return }
        var status: Int32 = 0
        let found = waitpid(pid, &status, WNOHANG)
        precondition(found >= 0, "waitpid: \(String(cString: strerror(errno)))")
        guard found == pid else { return }
        ended = status & 0x7F == 0 ? .exit(status >> 8 & 0xFF) : .signal(status & 0x7F)
    }
}

private struct StartFailure: Error, CustomStringConvertible {
    let path: String
    let code: Int32

    var description: String { "cannot start a child: \(path): \(String(cString: strerror(code)))" }
}

private func check(_ code: Int32, _ path: String) throws {
    if code != 0 { throw StartFailure(path: path, code: code) }
}

private let spawnLock = NSLock()

private func spawn(_ command: [String], _ streams: [ChildProcess.Stream]) throws -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (target, stream) in zip(Int32(0)..., streams) { try add(stream, as: target, to: &actions) }

    // The test process ignores SIGPIPE and may block others; a child would as well.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    var arguments = command.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    return try spawnLock.withLock {
        try closeDescriptorsOnExec()
        var pid: pid_t = 0
        try check(
            posix_spawn(&pid, command[0], &actions, &attributes, &arguments, environ), command[0])
        return pid
    }
}

private func add(
    _ stream: ChildProcess.Stream, as target: Int32, to actions: inout posix_spawn_file_actions_t
) throws {
    switch stream {
    case .null:
        try check(
            posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0), "/dev/null")
    case .file(let path):
        let mode = target == STDIN_FILENO ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC
        try check(posix_spawn_file_actions_addopen(&actions, target, path, mode, 0o644), path)
    case .descriptor(let source):
        try check(
            posix_spawn_file_actions_adddup2(&actions, source, target), "descriptor \(source)")
    }
}

/// A child that holds a test's socket keeps its peer from seeing the end. Not all descriptors are
/// opened by the tests, and posix_spawn_file_actions_addclosefrom_np is not in Swift's Glibc module.
private func closeDescriptorsOnExec() throws {
    guard let directory = opendir("/proc/self/fd") else {
        throw StartFailure(path: "/proc/self/fd", code: errno)
    }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
        // By way of the pointer: only as much of the entry is there as its name is long.
        let name = UnsafeRawPointer(entry) + MemoryLayout<dirent>.offset(of: \.d_name)!
        let descriptor = Int32(atoi(name.assumingMemoryBound(to: CChar.self)))
        guard descriptor > STDERR_FILENO else { continue }
        let flags = fcntl(descriptor, F_GETFD)
        // Another thread may have closed it.
        if flags >= 0 { _ = fcntl(descriptor, F_SETFD, flags | FD_CLOEXEC) }
    }
}
