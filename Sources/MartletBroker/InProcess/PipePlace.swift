import Synchronization

/// Which loop has a pipe, and where, once the loop has taken it.
final class PipePlace: Sendable {
    private let packed = Atomic<UInt64>(.max)
    private let shared: BrokerShared
    private let loop: Int
    private let mail: Mailbox<LoopCommand>
    /// The loop was chosen for having few connections: this one counts until it is among them.
    private let isCounted: Bool

    /// On the loop with the fewest connections when none is named.
    init(on loop: Int?, of shared: BrokerShared) {
        self.shared = shared
        isCounted = loop == nil
        self.loop = loop ?? shared.loopForNextConnection()
        mail = shared.loops[self.loop].mail
    }

    /// False when the loop is gone.
    func give(_ pipe: MemoryPipe, from peer: PipePeer = .client) -> Bool {
        mail.post(
            .adoptPipe(pipe, from: peer, id: shared.nextConnectionID(), name: "in-process") {
                self.set($0)
            })
    }

    private func set(_ handle: SlabHandle) {
        packed.store(
            UInt64(handle.index) | UInt64(handle.generation) << 32,
            ordering: .sequentiallyConsistent)
        guard isCounted else { return }
        shared.loops[loop].connectionsUnderWay.wrappingSubtract(1, ordering: .relaxed)
    }

    /// Before the loop has the pipe there is nobody to tell; it looks when it takes it.
    func wakeLoop() {
        if let handle { mail.post(.pipeMoved(handle)) }
    }

    private var handle: SlabHandle? {
        let value = packed.load(ordering: .sequentiallyConsistent)
        guard value != .max else { return nil }
        return SlabHandle(
            index: UInt32(truncatingIfNeeded: value),
            generation: UInt32(truncatingIfNeeded: value >> 32))
    }
}
