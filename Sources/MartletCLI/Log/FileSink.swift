import FoundationEssentials
import Glibc

/// Log lines in a file, which is renamed and begun anew when it is over its size.
final class FileSink: LogSink {
    struct OpenFailure: Error, CustomStringConvertible {
        let description: String
    }

    private let path: String
    private let style: LogLineStyle
    private let bytesMax: Int
    private let filesMax: Int
    private var descriptor: Int32
    private var byteCount: Int
    private var isUnused = true
    /// Grows when a rotation fails, so that it is not tried again at every line.
    private var rotateAt: Int

    init(
        path: String, style: LogLineStyle, bytesMax: Int = 0, filesMax: Int = 0
    ) throws(OpenFailure) {
        self.path = path
        self.style = style
        self.bytesMax = bytesMax
        self.filesMax = filesMax
        rotateAt = bytesMax
        (descriptor, byteCount) = try Self.open(path)
    }

    deinit { close() }

    func write(_ entry: LogEntry) {
        if isUnused { begin() }
        append(entry)
        if bytesMax > 0, byteCount > rotateAt { rotate() }
    }

    func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
    }

    /// A file that is too large is renamed when somebody uses it, not when it is opened: its present user may
    /// keep it.
    private func begin() {
        isUnused = false
        guard bytesMax > 0, byteCount > bytesMax else { return }
        append(LogEntry(label: .information, text: "Rotating logfile..."))
        rotate()
    }

    private func append(_ entry: LogEntry) {
        var rest = Array(style.line(entry).utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return }
            byteCount += count
            rest.removeFirst(count)
        }
    }

    private func rotate() {
        let backup = "\(path).\(WallClock.now().backupStamp)"
        guard unsafe rename(path, backup) == 0 else {
            rotateAt *= 2
            fail("Unable to rename logfile for rotation", errno)
            return
        }
        do {
            let (fresh, size) = try Self.open(path)
            Glibc.close(descriptor)
            (descriptor, byteCount, rotateAt) = (fresh, size, bytesMax)
        } catch {
            // The old file stays open under its new name: lines are not lost.
            rotateAt *= 2
            append(LogEntry(label: .error, text: "Unable to re-open the logfile: \(error)"))
            return
        }
        append(LogEntry(label: .information, text: "Rotated log, backup saved as \"\(backup)\""))
        if filesMax > 0 { removeOldBackups() }
    }

    /// Keeps the file in use and the newest backups: `filesMax` files in all.
    private func removeOldBackups() {
        let url = URL(fileURLWithPath: path)
        let directory = url.deletingLastPathComponent().path
        let prefix = url.lastPathComponent + "."
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let backups = names.filter {
            $0.hasPrefix(prefix) && Self.isBackupStamp($0.dropFirst(prefix.count))
        }
        for name in backups.sorted().dropLast(filesMax - 1) {
            if unsafe unlink("\(directory)/\(name)") == 0 {
                append(LogEntry(label: .information, text: "Purged log file \"\(name)\""))
            } else {
                fail("Unable to remove backup log file \"\(name)\"", errno)
            }
        }
    }

    static func isBackupStamp(_ text: Substring) -> Bool {
        let widths = [4, 2, 2, 2, 2, 2, 9]
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.map(\.count) == widths
            && parts.allSatisfy { $0.utf8.allSatisfy { (48...57).contains($0) } }
    }

    private func fail(_ text: String, _ code: Int32) {
        append(
            LogEntry(
                label: .error,
                text: "\(text) (\(SystemError.text(code))), will attempt next rotation"))
    }

    private static func open(_ path: String) throws(OpenFailure) -> (Int32, Int) {
        let descriptor = unsafe Glibc.open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else {
            throw OpenFailure(
                description: "error opening file: open \(path): \(SystemError.text(errno))")
        }
        var status = stat()
        let size = unsafe fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
        return (descriptor, size)
    }
}
