/// Whose a connection is, by value: it may be gone when somebody reads this.
struct PeerDescription: Equatable, Sendable {
    var id: UInt64 = 0
    var ip = ""
    var port = 0
    /// As CONNECT says; empty before.
    var name = ""
    var language = ""
    var version = ""
    var user = ""
    var account = ""
}

extension PeerDescription: CustomStringConvertible {
    /// What log lines start with: address and client id.
    var description: String {
        "\(ip.contains(":") ? "[\(ip)]" : ip):\(port) - cid:\(id)"
    }
}

extension BrokerLoop {
    func describePeer(of connection: ConnectionRef) -> PeerDescription {
        var peer = PeerDescription()
        peer.id = connection.pointee.id
        peer.account = connection.pointee.account.pointee.name
        guard let details = unsafe connection.pointee.details?.takeUnretainedValue() else {
            return peer
        }
        peer.ip = details.ip
        peer.port = details.port
        peer.name = details.name
        peer.language = details.language
        peer.version = details.version
        peer.user = details.user
        return peer
    }

    /// Apart from what messages run through: it copies texts.
    @inline(never)
    func record(_ event: ConnectionEvent, of connection: ConnectionRef) {
        shared.events.record(.connection(event, describePeer(of: connection)))
    }
}
