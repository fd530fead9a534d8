import Glibc
import MartletBroker

/// Log entries for a syslog daemon, on this machine or another one.
final class SyslogSink: LogSink {
    struct ConnectFailure: Error, CustomStringConvertible {
        let reason: String
        var description: String { "error connecting to syslog: \"\(reason)\"" }
    }

    private let address: SocketAddress
    private let kind: SocketKind
    private let isLocal: Bool
    private let facility: Int
    private var descriptor: Int32
    private var remainder: [UInt8] = []
    private let tag: String
    private let host: String
    private(set) var droppedLines = 0
    private var nextConnectAt = 0

    private init(
        _ address: SocketAddress, _ kind: SocketKind, isLocal: Bool, facility: Int
    ) throws(ConnectFailure) {
        self.address = address
        self.kind = kind
        self.isLocal = isLocal
        self.facility = facility
        tag = "\(ProcessFacts.executableName)[\(getpid())]"
        host = ProcessFacts.hostName
        do throws(SystemFailure) {
            descriptor = try Connector.begin(address, kind)
        } catch {
            throw ConnectFailure(reason: SystemError.text(error.code))
        }
    }

    deinit { close() }

    /// The daemon of this machine.
    static func local() throws(ConnectFailure) -> SyslogSink {
        let daemonFacility = 3 << 3
        for path in ["/dev/log", "/var/run/syslog", "/var/run/log"] {
            for kind in [SocketKind.datagram, .stream] {
                let sink = try? SyslogSink(
                    SocketAddress(path: path), kind, isLocal: true, facility: daemonFacility)
                if let sink { return sink }
            }
        }
        throw ConnectFailure(reason: "Unix syslog delivery error")
    }

    /// A server, for example `udp://127.0.0.1:514`, `tcp://…` or `unix:///path`.
    convenience init(remote url: String) throws(ConnectFailure) {
        let parts = url.split(separator: ":", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[1].hasPrefix("//") else {
            throw ConnectFailure(reason: "not a syslog address: \(url)")
        }
        let rest = String(parts[1].dropFirst(2))
        switch parts[0] {
        case "unix":
            try self.init(SocketAddress(path: rest), .datagram, isLocal: true, facility: 0)
        case "udp", "tcp":
            let kind = parts[0] == "udp" ? SocketKind.datagram : .stream
            let address: SocketAddress
            do throws(SocketAddress.LookupFailure) {
                address = try SocketAddress.resolve(HostAndPort(rest, defaultPort: 514))[0]
            } catch {
                throw ConnectFailure(reason: error.description)
            }
            try self.init(address, kind, isLocal: false, facility: 0)
        default:
            throw ConnectFailure(reason: "invalid network type: \(parts[0])")
        }
    }

    func write(_ entry: LogEntry) {
        guard isConnected, flushRemainder() else {
            droppedLines += 1
            return
        }
        send(message(entry))
    }

    func close() {
        guard descriptor >= 0 else { return }
        _ = flushRemainder()
        Glibc.close(descriptor)
        descriptor = -1
    }

    private func message(_ entry: LogEntry) -> [UInt8] {
        let priority = facility | entry.label.syslogSeverity
        let start =
            isLocal
            ? WallClock.now().syslogStamp : "\(WallClock.now(utc: true).internetStamp) \(host)"
        return Array("<\(priority)>\(start) \(tag): \(entry.text)\n".utf8)
    }

    private var isConnected: Bool {
        if descriptor >= 0 { return true }
        let now = time(nil)
        guard now >= nextConnectAt else { return false }
        nextConnectAt = now + 1
        descriptor = (try? Connector.begin(address, kind)) ?? -1
        return descriptor >= 0
    }

    private func flushRemainder() -> Bool {
        guard !remainder.isEmpty else { return true }
        let rest = remainder
        remainder = []
        send(rest)
        return remainder.isEmpty
    }

    private func send(_ bytes: [UInt8]) {
        let count = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.send(
                descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
        }
        if count == bytes.count { return }
        if count > 0 {
            remainder = Array(bytes[count...])
            return
        }
        droppedLines += 1
        // A full buffer empties again; a lost connection is made anew by a later line.
        if errno != EAGAIN, errno != EINTR, errno != ENOTCONN, errno != ENOBUFS {
            Glibc.close(descriptor)
            descriptor = -1
        }
    }
}
