import Glibc
import MartletBroker
import Synchronization

/// The log of this process: what is logged, and the sink that it goes to. Both can change while
/// the broker runs, at a reload or when the file is opened again.
final class ServerLog: Sendable {
    /// SAFETY: a sink has mutable state and is no `Sendable`; it is reached under this lock only.
    private struct State: @unchecked Sendable {
        var sink: any LogSink
        var settings: BrokerConfiguration.Log
    }

    private let state: Guarded<State>
    // Read without the lock before each debug and trace line.
    private let logsDebug: Atomic<Bool>
    private let logsTrace: Atomic<Bool>

    init(_ settings: BrokerConfiguration.Log) throws {
        state = Guarded(State(sink: try Self.makeSink(settings), settings: settings))
        logsDebug = Atomic(settings.debug)
        logsTrace = Atomic(settings.trace)
    }

    var debug: Bool { logsDebug.load(ordering: .relaxed) }
    var trace: Bool { logsTrace.load(ordering: .relaxed) }

    func write(_ label: LogLabel, _ text: String) {
        // Whatever wrote it, a line is one line, and a terminal obeys nothing in it.
        let entry = LogEntry(label: label, text: text.printable)
        state.withLock { $0.sink.write(entry) }
    }

    /// Opens what other settings need and the present sink is not; nothing goes there before `adopt`.
    func openSink(for settings: BrokerConfiguration.Log) throws -> (any LogSink)? {
        let old = state.withLock { $0.settings }
        return Self.needsNewSink(old, settings) ? try Self.makeSink(settings) : nil
    }

    /// Adopts new settings.
    ///
    /// - Parameter sink: what `openSink` opened for them.
    func adopt(_ settings: BrokerConfiguration.Log, _ sink: (any LogSink)?) {
        state.withLock { state in
            if let sink {
                state.sink.close()
                state.sink = sink
            }
            state.settings = settings
        }
        logsDebug.store(settings.debug, ordering: .relaxed)
        logsTrace.store(settings.trace, ordering: .relaxed)
    }

    /// Opens the log file again, after somebody renamed it.
    func reopen() {
        let outcome: LogEntry = state.withLock { state in
            guard state.settings.file != nil else {
                return LogEntry(
                    label: .information, text: "File log re-open ignored, not a file logger")
            }
            do {
                let sink = try Self.makeSink(state.settings)
                state.sink.close()
                state.sink = sink
                return LogEntry(label: .information, text: "File log re-opened")
            } catch {
                return LogEntry(label: .error, text: "File log not re-opened: \(error)")
            }
        }
        state.withLock { $0.sink.write(outcome) }
    }

    /// The last call, before the process ends.
    func close() { state.withLock { $0.sink.close() } }

    private static func needsNewSink(
        _ old: BrokerConfiguration.Log, _ new: BrokerConfiguration.Log
    ) -> Bool {
        old.file != new.file || old.syslog != new.syslog || old.remoteSyslog != new.remoteSyslog
            || old.showsTime != new.showsTime || old.usesUTC != new.usesUTC
            || old.fileBytesMax != new.fileBytesMax || old.filesMax != new.filesMax
    }

    private static func makeSink(_ settings: BrokerConfiguration.Log) throws -> any LogSink {
        let style = LogLineStyle(
            showsTime: settings.showsTime, usesUTC: settings.usesUTC, processID: getpid())
        if let file = settings.file {
            return try FileSink(
                path: file, style: style, bytesMax: settings.fileBytesMax,
                filesMax: settings.filesMax)
        }
        if let remote = settings.remoteSyslog {
            return try SyslogSink(remote: remote)
        }
        if settings.syslog { return try SyslogSink.local() }
        return StreamSink(descriptor: STDERR_FILENO, style: style)
    }
}
