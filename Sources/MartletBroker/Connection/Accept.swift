// Message path, step 0: a client connects. Next: ReadBuffer.swift.

import CMartletSystem
import Glibc
import Synchronization

/// The first loop accepts for all of them and hands each socket to the loop that `Placement` chooses.
extension BrokerLoop {
    func listen(on listener: Listener) {
        let place = state.pointee.listeners.count
        precondition(place < Listener.countMax, "each listener has a token of its own")
        state.pointee.listeners.append(listener)
        do {
            try events.poller.add(
                listener.descriptor, token: Listener.firstToken + UInt64(place), for: .readable)
        } catch {
            shared.events.record(.listeningFailed(for: listener.profile.kind, error))
        }
    }

    func stopListening() {
        for listener in state.pointee.listeners {
            events.poller.remove(listener.descriptor)
            listener.close()
        }
        state.pointee.listeners = []
    }

    /// A listener's descriptor is ready.
    @inline(never)
    func acceptConnections(_ token: UInt64) {
        let place = Int(token - Listener.firstToken)
        // Found ready before this turn stopped listening.
        guard place < state.pointee.listeners.count else { return }
        let listener = state.pointee.listeners[place]
        let startedAt = work.pointee.startedAt
        for _ in 0..<Listener.acceptsPerTurn {
            // Who comes back after all have gone at once waits for the descriptors of the old connections, of
            // which some may be about to tell that they have gone.
            guard
                state.pointee.acceptedDescriptor + 1 < listener.keptDescriptors
                    || (state.pointee.closing.count == 0 && !events.poller.hasEvents)
            else { return }
            var storage = sockaddr_storage()
            let descriptor = unsafe martlet_accept(listener.descriptor, &storage)
            state.pointee.acceptedDescriptor = descriptor
            guard descriptor >= 0 else {
                if errno == EMFILE || errno == ENFILE { refuseWithSpareDescriptor(listener) }
                return
            }
            // The lowest free number is given: one as high as this says that all others are taken.
            guard descriptor < listener.keptDescriptors else {
                Glibc.close(descriptor)
                recordLackOfDescriptors()
                continue
            }
            let command = LoopCommand.adopt(
                descriptor: descriptor, listener.profile, address: SocketAddress(storage),
                id: shared.nextConnectionID())
            let target = shared.loopForNextConnection()
            if target == index {
                read(command)
            } else if !shared.loops[target].mail.post(command) {
                decline(command)
            }
            let taken = events.clock.now() &- startedAt
            note(.accepting, taken)
            guard taken < Listener.acceptNanosecondsMax else { return }
        }
    }

    /// Without a descriptor to accept with, the listener would stay ready for ever: give up the spare
    /// one, accept, close, and take a spare again. The peer sees a close instead of a hang.
    private func refuseWithSpareDescriptor(_ listener: Listener) {
        recordLackOfDescriptors()
        shared.spareDescriptor.withLock { spare in
            if spare >= 0 { Glibc.close(spare) }
            var storage = sockaddr_storage()
            let descriptor = unsafe martlet_accept(listener.descriptor, &storage)
            if descriptor >= 0 { Glibc.close(descriptor) }
            spare = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        }
    }

    /// Once a second, since clients may ask again at once.
    private func recordLackOfDescriptors() {
        state.pointee.refusedForDescriptors += 1
        guard now >= state.pointee.refusalLogDueAt else { return }
        state.pointee.refusalLogDueAt = now &+ 1_000_000_000
        shared.events.record(.descriptorsSpent(refused: state.pointee.refusedForDescriptors))
        state.pointee.refusedForDescriptors = 0
    }

    /// A socket becomes a connection: it gets INFO, and is closed at once when there are too many.
    func adopt(
        _ descriptor: Int32, _ profile: ListenerProfile, _ address: SocketAddress, id: UInt64
    ) {
        connectionsUnderWay.wrappingSubtract(1, ordering: .relaxed)
        let transport = profile.transport(descriptor)
        guard
            let connection = makeConnection(
                transport, PeerPolicy(profile.kind), id: id, ip: address.ip,
                port: address.port)
        else {
            return refuse(transport)
        }
        count(connection)
        do {
            try events.poller.add(descriptor, token: Self.token(of: connection), for: .readable)
        } catch {
            shared.events.record(.watchingFailed(error))
            return closeNow(connection, .readError)
        }
        greet(connection)
    }

    func adopt(
        _ pipe: MemoryPipe, from peer: PipePeer, id: UInt64, name: String,
        then: @Sendable (SlabHandle) -> Void
    ) {
        let transport = unsafe Transport.pipe(.passRetained(pipe))
        guard
            let connection = makeConnection(
                transport, PeerPolicy(peer.kind), id: id, ip: name, port: 0)
        else {
            return refuse(transport)
        }
        pipe.count(in: shared.budget)
        if let account = peer.account { enter(connection, as: Identity(account: account)) }
        count(connection)
        then(connection.pointee.handle)
        greet(connection)
        readInput(connection)
    }

    /// There is no slot for it, or no memory.
    private func refuse(_ transport: Transport) {
        recordLackOfMemory()
        transport.close()
    }

    private func count(_ connection: ConnectionRef) {
        guard connection.pointee.policy.isCounted else { return }
        counters.pointee.connections.add(1)
        counters.pointee.connectionsTotal.add(1)
    }

    /// A slot for a new connection, with the values that hold before its CONNECT.
    private func makeConnection(
        _ transport: Transport, _ policy: PeerPolicy, id: UInt64, ip: String, port: UInt16
    ) -> ConnectionRef? {
        guard let connection = takeSlot(transport, policy, id: id) else { return nil }
        if state.pointee.settings.traces { connection.pointee.flags.insert(.isTraced) }
        let details = ConnectionDetails()
        details.ip = ip
        details.port = Int(port)
        details.startedAt = Clock.wallNanoseconds()
        unsafe connection.pointee.details = unsafe .passRetained(details)
        limitPending(connection)
        enterOrder(connection)
        return connection
    }

    /// A slot with room in every list; nil without memory.
    func takeSlot(_ transport: Transport, _ policy: PeerPolicy, id: UInt64) -> ConnectionRef? {
        assert(thread.isCurrent)
        let account = shared.accounts.global
        guard SystemMemory.hasRoom(for: 0),
            reserveLists(state.pointee.connections.endIndex + 1),
            let slot = state.pointee.connections.take({ _ in Connection(in: account) })
        else { return nil }
        let connection = state.pointee.connections[slot]
        // SAFETY: what the slot's last connection had was given back when that ended.
        assert(!connection.pointee.flags.contains(.isTaken))
        let generation = connection.pointee.handle.generation &+ 1
        connection.pointee = Connection(in: account)
        connection.pointee.handle = SlabHandle(index: UInt32(slot), generation: generation)
        connection.pointee.transport = transport
        connection.pointee.policy = policy
        connection.pointee.id = id
        connection.pointee.flags = [.isTaken, .verbose, .pedantic, .echo]
        connection.pointee.acceptedAt = now
        connection.pointee.lastInputAt = now
        connection.pointee.lastActivityAt = now
        return connection
    }

    /// Room for every connection in the lists of connections, so that none grows on the message path but that
    /// of `WorkerLinks`, which grows to its size with use. False without memory for that.
    private func reserveLists(_ count: Int) -> Bool {
        let wanted = (count + 255) & ~255
        return state.pointee.dirty.reserve(wanted) && state.pointee.unflushed.reserve(wanted)
            && state.pointee.held.connections.reserve(wanted)
            && state.pointee.fannedOut.reserve(wanted) && state.pointee.resumable.reserve(wanted)
            && state.pointee.yielded.reserve(wanted) && state.pointee.closing.reserve(wanted)
            && state.pointee.leaving.reserve(wanted)
            && state.pointee.waitingForLinks.reserve(wanted)
    }
}
