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
    /// As CONNECT says, right or not.
    var claim = ClaimedIdentity.nobody
    /// A CONNECT was taken.
    var isIdentified = false
}

extension PeerDescription: CustomStringConvertible {
    /// What log lines start with: address and client id; once it is known, what its program says of itself,
    /// and its account and user.
    var description: String {
        var text = "\(ip.contains(":") ? "[\(ip)]" : ip):\(port) - cid:\(id)"
        guard isIdentified else { return text }
        let program = [version.isEmpty ? "" : "v\(version)", language, name]
            .filter { !$0.isEmpty }.joined(separator: ":")
        if !program.isEmpty { text += " - \(QuotedText.quoted(program))" }
        if claim != .nobody { text += " - \(QuotedText.quoted("\(account)/\(claim.label)"))" }
        return text
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
        let user = details.user.isEmpty ? details.options.user ?? "" : details.user
        peer.claim = ClaimedIdentity(user: user, token: details.options.token ?? "")
        peer.isIdentified = details.isIdentified
        return peer
    }

    /// Apart from what messages run through: it copies texts.
    @inline(never)
    func record(_ event: ConnectionEvent, of connection: ConnectionRef) {
        shared.events.record(.connection(event, describePeer(of: connection)))
    }
}
