import Glibc

/// Log lines on a descriptor that others may read too slowly: a pipe, a terminal, a socket.
final class StreamSink: LogSink {
    private let descriptor: Int32
    private let ownsDescriptor: Bool
    private let style: LogLineStyle
    /// The end of a line of which the start was written already.
    private var remainder: [UInt8] = []
    private(set) var droppedLines = 0

    /// - Parameter descriptor: usually stderr; its flags are shared with others and stay as they are.
    init(descriptor: Int32, style: LogLineStyle) {
        var style = style
        style.isColoured = isatty(descriptor) == 1
        self.style = style
        // A second open of the same pipe can be non-blocking without the others' noticing.
        let own = Self.isPipe(descriptor) ? Self.openAgain(descriptor) : -1
        ownsDescriptor = own >= 0
        self.descriptor = own >= 0 ? own : descriptor
    }

    func write(_ entry: LogEntry) {
        guard flushRemainder() else {
            droppedLines += 1
            return
        }
        if droppedLines > 0 {
            let notice = LogEntry(
                label: .warning,
                text: "Dropped \(droppedLines) log lines that nobody read fast enough")
            if put(style.line(notice)) { droppedLines = 0 }
        }
        if !put(style.line(entry)) { droppedLines += 1 }
    }

    func close() {
        _ = flushRemainder()
        if ownsDescriptor { Glibc.close(descriptor) }
    }

    /// False if not a byte of the line could be written.
    private func put(_ line: String) -> Bool {
        guard remainder.isEmpty else { return false }
        let bytes = Array(line.utf8)
        let written = writeNow(bytes[...])
        if written > 0 { remainder = Array(bytes[written...]) }
        return written > 0
    }

    private func flushRemainder() -> Bool {
        guard !remainder.isEmpty else { return true }
        remainder.removeFirst(writeNow(remainder[...]))
        return remainder.isEmpty
    }

    /// How many bytes went out. A pipe that polls as writable takes PIPE_BUF bytes without a wait.
    private func writeNow(_ bytes: ArraySlice<UInt8>) -> Int {
        var rest = bytes
        while !rest.isEmpty {
            var status = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard unsafe poll(&status, 1, 0) == 1, status.revents & Int16(POLLOUT) != 0 else {
                break
            }
            let count = unsafe rest.prefix(Int(PIPE_BUF)).withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            rest.removeFirst(count)
        }
        return bytes.count - rest.count
    }

    private static func isPipe(_ descriptor: Int32) -> Bool {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFIFO
    }

    private static func openAgain(_ descriptor: Int32) -> Int32 {
        unsafe open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_CLOEXEC)
    }
}
