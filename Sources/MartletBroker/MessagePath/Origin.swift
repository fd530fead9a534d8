// Message path, beside Message.swift: who publishes.

/// Who publishes a message, by value: what is delivered, posted to other loops or evaluated by a worker
/// needs no connection that could have gone meanwhile, and the broker itself publishes without one.
struct Origin: BitwiseCopyable, Sendable {
    enum Kind: UInt8 {
        /// A client's connection, or a handler's.
        case client
        /// The broker itself: nobody is paused for it, and nobody hears that there are no responders.
        case broker
    }

    struct Flags: OptionSet, BitwiseCopyable {
        let rawValue: UInt8

        /// Hears a status 503 when a request of its own has no subscriber.
        static let noResponders = Flags(rawValue: 1)
        /// Gets no message of its own back.
        static let noEcho = Flags(rawValue: 2)
    }

    /// Among whose subjects it publishes.
    let account: AccountRef
    /// The publisher's connection; `none` of the broker itself.
    private(set) var connection: SlabHandle
    /// Where it publishes, and where its connection is.
    private(set) var loop: UInt16
    let kind: Kind
    var flags: Flags

    /// What a client publishes.
    @inline(__always)
    init(_ connection: ConnectionRef, on loop: Int) {
        account = connection.pointee.account
        self.connection = connection.pointee.handle
        self.loop = UInt16(truncatingIfNeeded: loop)
        kind = .client
        flags = []
        if connection.pointee.flags.contains(.noResponders) { flags.insert(.noResponders) }
        if !connection.pointee.flags.contains(.echo) { flags.insert(.noEcho) }
    }

    /// What the broker itself publishes in an account.
    init(brokerIn account: AccountRef, on loop: Int) {
        self.account = account
        connection = .none
        self.loop = UInt16(truncatingIfNeeded: loop)
        kind = .broker
        flags = []
    }

    /// For what the broker makes of a client's message: the client may get it too, and does not hear of it
    /// when nobody does.
    var withoutFlags: Origin {
        var copy = self
        copy.flags = []
        return copy
    }

    /// The same client at another loop.
    func moved(to connection: SlabHandle, on loop: UInt16) -> Origin {
        var copy = self
        copy.connection = connection
        copy.loop = loop
        return copy
    }

    /// Whether a destination belongs to the connection that publishes.
    @inline(__always)
    func owns(_ destination: Destination) -> Bool {
        destination.connection == connection && destination.loop == loop
    }
}

extension BrokerLoop {
    /// The connection that published, if it is of this loop, still there and still in that account.
    @inline(__always)
    func publisher(_ origin: Origin) -> ConnectionRef? {
        guard Int(origin.loop) == index, let connection = connection(origin.connection),
            connection.pointee.account == origin.account
        else { return nil }
        return connection
    }
}
