// Message path, step 0: a client connects. Next: ReadBuffer.swift.

import CMartletSystem
import Glibc
import Logging
import Synchronization

/// The first loop accepts for all of them and hands each socket to the loop with the fewest connections.
enum Listener {
    /// The poller's token of the listening socket.
    static let token = UInt64.max - 1
    /// Accepted in one turn, so that a flood of connects does not delay messages.
    static let acceptsPerTurn = 64
}

extension BrokerLoop {
    func listen(on descriptor: Int32) {
        state.pointee.listener = descriptor
        do {
            try events.poller.add(descriptor, token: Listener.token, for: .readable)
        } catch {
            shared.logger.error("Error trying to listen for client connections: \(error)")
        }
    }

    func stopListening() {
        guard state.pointee.listener >= 0 else { return }
        events.poller.remove(state.pointee.listener)
        Glibc.close(state.pointee.listener)
        state.pointee.listener = -1
    }

    @inline(never)
    func acceptConnections() {
        for _ in 0..<Listener.acceptsPerTurn {
            var storage = sockaddr_storage()
            let descriptor = unsafe martlet_accept(state.pointee.listener, &storage)
            guard descriptor >= 0 else {
                if errno == EMFILE || errno == ENFILE { refuseForLackOfDescriptors() }
                return
            }
            let command = LoopCommand.adopt(
                descriptor: descriptor, address: SocketAddress(storage),
                id: shared.nextConnectionID())
            let target = shared.loopForNextConnection()
            if target == index {
                read(command)
            } else if !shared.loops[target].mail.post(command) {
                decline(command)
            }
        }
    }

    /// Without a descriptor to accept with, the listener would stay ready for ever: give up the spare
    /// one, accept, close, and take a spare again. The peer sees a close instead of a hang.
    private func refuseForLackOfDescriptors() {
        shared.logger.error("Error accepting a connection: too many open files")
        shared.spareDescriptor.withLock { spare in
            if spare >= 0 { Glibc.close(spare) }
            var storage = sockaddr_storage()
            let descriptor = unsafe martlet_accept(state.pointee.listener, &storage)
            if descriptor >= 0 { Glibc.close(descriptor) }
            spare = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
        }
    }

    /// A socket becomes a connection: it gets INFO, and is closed at once when there are too many.
    func adopt(_ descriptor: Int32, _ address: SocketAddress, id: UInt64) {
        connectionsUnderWay.wrappingSubtract(1, ordering: .relaxed)
        Socket.disableNagle(descriptor)
        guard let connection = makeConnection(.socket(descriptor), id: id, address) else {
            Glibc.close(descriptor)
            return
        }
        counters.pointee.connections.add(1)
        counters.pointee.connectionsTotal.add(1)
        do {
            try events.poller.add(descriptor, token: Self.token(of: connection), for: .readable)
        } catch {
            shared.logger.error("Error registering a connection: \(error)")
            return closeNow(connection, .readError)
        }
        greet(connection)
    }

    func adopt(_ pipe: MemoryPipe, id: UInt64, name: String, then: @Sendable (SlabHandle) -> Void) {
        let transport = unsafe Transport.memory(.passRetained(pipe))
        guard let connection = makeConnection(transport, id: id, SocketAddress(ip: name, port: 0))
        else {
            return transport.close()
        }
        if let account = pipe.ownAccount {
            connection.pointee.flags.insert(.isOwn)
            enter(connection, as: Identity(account: account))
        } else {
            counters.pointee.connectionsTotal.add(1)
            counters.pointee.connections.add(1)
        }
        if pipe.servesRequests {
            connection.pointee.flags.insert(.servesRequests)
            limitPending(connection)
        }
        then(connection.pointee.handle)
        greet(connection)
        readInput(connection)
    }

    /// A slot for a new connection, with the values that hold before its CONNECT.
    private func makeConnection(
        _ transport: Transport, id: UInt64, _ address: SocketAddress
    ) -> ConnectionRef? {
        let account = shared.accounts.global
        guard let slot = state.pointee.connections.take({ _ in Connection(in: account) }) else {
            return nil
        }
        let connection = state.pointee.connections[slot]
        let generation = connection.pointee.handle.generation &+ 1
        connection.pointee = Connection(in: account)
        connection.pointee.handle = SlabHandle(index: UInt32(slot), generation: generation)
        connection.pointee.transport = transport
        connection.pointee.id = id
        connection.pointee.flags = [.verbose, .pedantic, .echo]
        connection.pointee.acceptedAt = now
        connection.pointee.lastInputAt = now
        let details = ConnectionDetails()
        details.ip = address.ip
        details.port = Int(address.port)
        details.startedAt = Clock.wallNanoseconds()
        unsafe connection.pointee.details = unsafe .passRetained(details)
        limitPending(connection)
        reserveLists(state.pointee.connections.endIndex)
        return connection
    }

    /// Room in every list for every connection, so that no list grows on the message path.
    private func reserveLists(_ count: Int) {
        let wanted = (count + 255) & ~255
        state.pointee.dirty.reserve(wanted)
        state.pointee.resumable.reserve(wanted)
        state.pointee.closing.reserve(wanted)
        state.pointee.waitingForLinks.reserve(wanted)
    }

    private func greet(_ connection: ConnectionRef) {
        shared.logger.debug("\(name(of: connection)) - Client connection created")
        let settings = state.pointee.settings
        let isOwn = connection.pointee.flags.contains(.isOwn)
        if settings.requiresAuthentication, !isOwn {
            connection.pointee.flags.insert(.awaitsAuthentication)
            setDeadline(
                .authentication, now &+ settings.authenticationTimeoutNanoseconds, connection)
        }
        setFirstPing(connection)
        sendInfo(connection, isConnectInfo: false)
        guard !isOwn else { return }
        guard shared.admit() else {
            shared.logger.error("\(name(of: connection)) - maximum connections exceeded")
            return end(connection, .maxConnectionsExceeded, saying: "maximum connections exceeded")
        }
        connection.pointee.flags.insert(.isAdmitted)
        if state.pointee.isLameDuck { end(connection, .serverShutdown) }
    }
}
