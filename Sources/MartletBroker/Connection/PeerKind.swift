/// What the other side of a connection is. A new kind gets its case here when it is built, and its row in
/// `PeerPolicy.init`, which then asks for everything that holds for it.
enum PeerKind: UInt8, Sendable {
    /// A program that speaks the client protocol, over a socket or within this process.
    case client
    /// Handlers of the program that embeds the broker.
    case handler
    /// Handlers of the broker's own, which answer in the system account.
    case system
}

/// Who is at the other end of a pipe, as whoever hands the pipe to a loop says.
enum PipePeer: Sendable {
    case client
    case handler
    /// In this account from the start: the broker's own handlers have no credentials.
    case system(AccountRef)

    var kind: PeerKind {
        switch self {
        case .client: .client
        case .handler: .handler
        case .system: .system
        }
    }

    /// The account that it is in without having said who it is.
    var account: AccountRef? {
        guard case .system(let account) = self else { return nil }
        return account
    }
}
