// A loop reads its mail.

import Glibc

extension BrokerLoop {
    func collectMail() {
        assert(thread.isCurrent)
        mail.acknowledge()
        deliverBatches()
        collectRuleResults()
        if mail.hasCommands || state.pointee.commands.count > 0 { readCommands() }
    }

    /// In the order in which they came, as many as a turn's time allows; the next turn goes on.
    @inline(never)
    private func readCommands() {
        var commands: [LoopCommand] = []
        swap(&commands, &state.pointee.commands)
        var next = state.pointee.commandsRead
        if commands.isEmpty { mail.collect(into: &commands) }
        let first = next
        var started = events.clock.now()
        let end = started &+ Self.turnNanosecondsMax
        while next < commands.count, next - first < Self.commandsPerTurn, started < end {
            work.pointee.startedAt = started
            read(commands[next])
            next += 1
            let ended = events.clock.now()
            note(.command(commands[next - 1].name), ended &- started)
            started = ended
        }
        state.pointee.commandsInTurn = next - first
        if next == commands.count {
            commands.removeAll(keepingCapacity: next <= Self.spareCommandsMax)
            next = 0
        }
        state.pointee.commandsRead = next
        swap(&commands, &state.pointee.commands)
        if state.pointee.commands.count > 0 || mail.hasCommands { mail.wake() }
    }

    /// The loop has stopped: what it has not read any more.
    func declineCommands() {
        for command in state.pointee.commands.dropFirst(state.pointee.commandsRead) {
            decline(command)
        }
        state.pointee.commands = []
        state.pointee.commandsRead = 0
        for command in mail.close() { decline(command) }
    }

    static let commandsPerTurn = 64
    /// The memory of as many commands is kept for the next ones: pipes send some with each message.
    private static let spareCommandsMax = 1_024

    func read(_ command: LoopCommand) {
        switch command {
        case .adopt(let descriptor, let profile, let address, let id):
            adopt(descriptor, profile, address, id: id)
        case .adoptPipe(let pipe, let peer, let id, let name, let then):
            adopt(pipe, from: peer, id: id, name: name, then: then)
        case .pipeMoved(let handle):
            guard let connection = connection(handle) else { return }
            if connection.pointee.flags.contains(.awaitsWritable) {
                // An earlier command of this turn may have queued a PONG behind messages for other loops.
                postBatches()
                flush(connection)
            }
            readInput(connection)
        case .listen(let listener): listen(on: listener)
        case .credentialsAreChecked(let handle, let attempt, let isRight):
            guard let connection = connection(handle) else { return }
            credentialsAreChecked(connection, attempt, isRight: isRight)
        case .pausePublisher(let handle):
            if let publisher = stayingConnection(handle) { pauseForSubscriber(publisher) }
        case .resumePublisher(let handle):
            if let publisher = stayingConnection(handle) { resumeAfterSubscriber(publisher) }
        case .noResponders(let origin, let subject, let reply):
            sendNoRespondersLater(origin, subject, reply)
        case .shedMemory: helpInShortage()
        case .shedSubscriptions(let held): shedSubscriptions(of: held)
        case .waitForMemory(let handle):
            if let publisher = connection(handle) { waitForMemory(publisher) }
        case .linkDrained: resumeAfterLink()
        case .relieve(let relief): relieve(relief)
        case .arrive(let move): arrive(move)
        case .moveFailed(let move): moveFailed(move)
        case .hasSwitched(let move): hasSwitched(move)
        case .fence(let move): fenceHasCome(move)
        case .handOver(let move): handOver(move)
        case .unsentOutput(let move, let bytes): takeUnsent(bytes, move)
        case .handedOver(let letter): finishArrival(letter)
        case .adoptSettings(let settings, let then):
            adopt(settings)
            then()
        case .reviewAccess(let start, let then): reviewAccess(from: start, then: then)
        case .closeSurplus(let count, let then):
            closeSurplus(count)
            then()
        case .adoptRules(let rules, let pool, let then):
            adopt(rules, pool)
            then()
        case .describeConnections(let listing): list(listing)
        case .findConnections(let search): find(search)
        case .enterLameDuck: enterLameDuck()
        case .closeSome(let count): closeSome(count)
        case .stop: state.pointee.isStopping = true
        }
    }

    /// A command that came too late: what it carries is given back.
    func decline(_ command: LoopCommand) {
        switch command {
        case .adopt(let descriptor, _, _, _): Glibc.close(descriptor)
        case .listen(let listener): listener.close()
        case .adoptPipe(let pipe, _, _, _, _): pipe.brokerClose()
        case .describeConnections(let listing): listing.finish()
        case .findConnections(let search): search.finish()
        case .adoptRules(_, _, let then), .adoptSettings(_, let then),
            .reviewAccess(_, let then), .closeSurplus(_, let then):
            then()
        default: break
        }
    }

    private func resumeAfterLink() {
        let count = state.pointee.waitingForLinks.count
        for i in 0..<count {
            if let publisher = unsafe connection(state.pointee.waitingForLinks.items[i]) {
                unpause(publisher, .mailbox)
            }
        }
        state.pointee.waitingForLinks.removeFirst(count)
    }

    /// A request of this loop reached a queue group on another one, where nobody could take it.
    func sendNoRespondersLater(_ origin: Origin, _ subject: [UInt8], _ reply: [UInt8]) {
        let line = reply + Array(" 0\r\n\r\n".utf8)
        unsafe subject.withUnsafeBufferPointer { subject in
            unsafe line.withUnsafeBufferPointer { line in
                guard let subjectBytes = subject.baseAddress, let lineBytes = line.baseAddress
                else { return }
                sendNoResponders(
                    for: unsafe Message(
                        subject: CountedBytes(subjectBytes, subject.count),
                        line: CountedBytes(lineBytes, line.count - 2), replyCount: reply.count,
                        headerBytes: 0, totalBytes: 0, content: .behindLine, from: origin))
            }
        }
    }

    /// A reload: limits hold from now on, for connections that are there too.
    private func adopt(_ settings: LoopSettings) {
        var adopted = settings
        adopted.hasRules = state.pointee.settings.hasRules
        if settings.traces != state.pointee.settings.traces { trace(settings.traces) }
        state.pointee.settings = adopted
        // Held back by what was set before; this turn ends by what is set now.
        state.pointee.outputDueAt = .max
    }

    private func trace(_ traces: Bool) {
        forEachConnection {
            if traces {
                $0.pointee.flags.insert(.isTraced)
            } else {
                $0.pointee.flags.remove(.isTraced)
            }
        }
    }

    // MARK: Lame duck

    private func enterLameDuck() {
        stopListening()
        state.pointee.isLameDuck = true
        forEachConnection { connection in
            if connection.pointee.flags.contains(.asyncInfo) {
                sendInfo(connection, isConnectInfo: false)
            }
        }
    }

    private func closeSome(_ count: Int) {
        var left = count
        forEachConnection { connection in
            guard left > 0, connection.pointee.policy.isCounted,
                !connection.pointee.flags.contains(.isArriving)
            else { return }
            left -= 1
            close(connection, .serverShutdown)
        }
    }

    /// As nats-server: any of them, each told that there are too many.
    private func closeSurplus(_ countMax: Int) {
        let slots = state.pointee.connections.endIndex
        guard slots > 0 else { return }
        let first = state.pointee.random.below(slots)
        var left = countMax
        for i in 0..<slots {
            let connection = state.pointee.connections[(first + i) % slots]
            guard connection.pointee.flags.isSuperset(of: [.isTaken, .isAdmitted]),
                !connection.pointee.flags.contains(.isClosing)
            else { continue }
            guard left > 0, shared.leaveIfFull() else { return }
            left -= 1
            connection.pointee.flags.remove(.isAdmitted)
            turnAway(connection, .connectionsMax)
        }
    }

    func forEachConnection(_ body: (ConnectionRef) -> Void) {
        assert(thread.isCurrent)
        for i in 0..<state.pointee.connections.endIndex {
            let connection = state.pointee.connections[i]
            guard connection.pointee.flags.contains(.isTaken) else { continue }
            body(connection)
        }
    }
}
