import Dispatch

/// A command in a loop's mailbox. Messages between sockets cross by `LoopLink`; only pipes send a
/// command when their other side waits.
enum LoopCommand: Sendable {
    /// A socket that the listening loop has accepted.
    case adopt(descriptor: Int32, ListenerProfile, address: SocketAddress, id: UInt64)
    /// A connection from this process.
    case adoptPipe(
        MemoryPipe, from: PipePeer = .client, id: UInt64, name: String,
        then: @Sendable (SlabHandle) -> Void)
    /// The peer of a pipe has written, or made room.
    case pipeMoved(SlabHandle)
    case listen(Listener)
    case credentialsAreChecked(SlabHandle, LoginAttempt, isRight: Bool)
    /// A subscriber with policy `block` is over its limit, or no longer.
    case pausePublisher(SlabHandle)
    case resumePublisher(SlabHandle)
    /// A queue delivery found nobody on the other loop.
    case noResponders(Origin, subject: [UInt8], reply: [UInt8])
    /// Memory is short: give some back.
    case shedMemory
    /// Another loop found no room for a subscription of somebody who holds so many.
    case shedSubscriptions(of: Int)
    /// Its messages find no memory on another loop: wait a moment.
    case waitForMemory(SlabHandle)
    /// Publishers may go on: a link has drained.
    case linkDrained
    /// Others have room for some of the connections.
    case relieve(Relief)
    /// A connection comes from another loop, which is told when this one has no room for it.
    case arrive(Move)
    case moveFailed(Move)
    /// A connection's new place has taken the place of its old one in all routes.
    case hasSwitched(Move)
    /// A loop sends nothing more to the old place of a connection.
    case fence(Move)
    /// Goes on with it, until it is handed over.
    case handOver(Move)
    case unsentOutput(Move, [UInt8])
    case handedOver(HandedOver)
    case adoptSettings(LoopSettings, then: @Sendable () -> Void)
    /// Who may connect has changed: connections from this slot on are to show that they still may.
    case reviewAccess(from: Int, then: @Sendable () -> Void)
    /// Close so many connections at most, while there are more than may be.
    case closeSurplus(Int, then: @Sendable () -> Void)
    case adoptRules(ActiveRules?, RulePool?, then: @Sendable () -> Void)
    /// Goes on with it, until it is finished.
    case describeConnections(ConnectionListing)
    /// The same for the first ones by their ids.
    case findConnections(ConnectionSearch)
    case enterLameDuck
    /// Close this many connections, as lame duck mode goes on.
    case closeSome(Int)
    case stop
}

extension LoopCommand {
    /// For a log.
    var name: StaticString {
        switch self {
        case .adopt, .adoptPipe: "a new connection"
        case .pipeMoved: "a pipe"
        case .listen: "a listener"
        case .credentialsAreChecked: "an authentication"
        case .pausePublisher, .resumePublisher: "a blocked subscriber"
        case .noResponders: "a status 503"
        case .shedMemory, .waitForMemory, .shedSubscriptions: "a shortage of memory"
        case .linkDrained: "a drained link"
        case .relieve, .arrive, .moveFailed, .hasSwitched, .fence, .handOver, .unsentOutput,
            .handedOver:
            "a connection that moves"
        case .adoptSettings: "new settings"
        case .reviewAccess, .closeSurplus: "a review of access"
        case .adoptRules: "new rules"
        case .describeConnections, .findConnections: "a description of connections"
        case .enterLameDuck, .closeSome: "lame duck mode"
        case .stop: "a stop"
        }
    }
}

extension [BrokerLoop] {
    /// Posts a command to each, and returns when all have called back; only while they run.
    func postAndWait(_ command: (_ then: @escaping @Sendable () -> Void) -> LoopCommand) {
        postToEachAndWait { _, then in command(then) }
    }

    /// Posts to each a command of its own.
    func postToEachAndWait(
        _ command: (BrokerLoop, _ then: @escaping @Sendable () -> Void) -> LoopCommand
    ) {
        let read = DispatchGroup()
        for loop in self {
            read.enter()
            if !loop.mail.post(command(loop) { read.leave() }) { read.leave() }
        }
        read.wait()
    }
}
