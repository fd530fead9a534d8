// Message path, beside BrokerLoop.swift: a loop reads its mail.

import Glibc
import Logging

extension BrokerLoop {
    func collectMail() {
        mail.answer()
        deliverBatches()
        collectRuleResults()
        if mail.isLettered { readLetters() }
    }

    @inline(never)
    private func readLetters() {
        var letters: [LoopLetter] = []
        swap(&letters, &state.pointee.spareLetters)
        mail.collect(into: &letters)
        state.pointee.lettersReadAt = now
        state.pointee.lettersRead = letters.count
        for letter in letters { read(letter) }
        letters.removeAll(keepingCapacity: letters.count <= Self.spareLettersMax)
        swap(&letters, &state.pointee.spareLetters)
    }

    /// The memory of as many letters is kept for the next ones: pipes send some with each message.
    private static let spareLettersMax = 1_024

    func read(_ letter: LoopLetter) {
        switch letter {
        case .adopt(let descriptor, let address, let id): adopt(descriptor, address, id: id)
        case .adoptPipe(let pipe, let id, let name, let then):
            adopt(pipe, id: id, name: name, then: then)
        case .pipeMoved(let handle):
            guard let connection = connection(handle) else { return }
            if connection.pointee.flags.contains(.awaitsWritable) {
                // An earlier letter of this turn may have queued a PONG behind messages for other loops.
                postBatches()
                flush(connection)
            }
            readInput(connection)
        case .listen(let descriptor): listen(on: descriptor)
        case .stopListening: stopListening()
        case .authenticated(let handle, let decision):
            guard let connection = connection(handle) else { return }
            finishAuthentication(connection, decision)
            unpause(connection, .authentication)
        case .pausePublisher(let handle):
            if let publisher = connection(handle) { pauseForSubscriber(publisher) }
        case .resumePublisher(let handle):
            if let publisher = connection(handle) { resumeAfterSubscriber(publisher) }
        case .noResponders(let handle, let account, let subject, let reply):
            // It may have gone over to another account meanwhile.
            guard let connection = connection(handle), connection.pointee.account == account
            else { return }
            tellNoResponders(connection, subject, reply)
        case .shedMemory: helpInShortage()
        case .waitForMemory(let handle):
            if let publisher = connection(handle) { waitForMemory(publisher) }
        case .linkDrained: resumeAfterLink()
        case .adoptSettings(let settings, let then):
            adopt(settings)
            then()
        case .adoptRules(let rules, let pool, let then):
            adopt(rules, pool)
            then()
        case .describeConnections(let withSubscriptions, let then):
            then(describeConnections(withSubscriptions: withSubscriptions))
        case .enterLameDuck: enterLameDuck()
        case .closeSome(let count): closeSome(count)
        case .stop: state.pointee.isStopping = true
        }
    }

    /// A letter that came too late: what it carries is given back.
    func decline(_ letter: LoopLetter) {
        switch letter {
        case .adopt(let descriptor, _, _), .listen(let descriptor): Glibc.close(descriptor)
        case .adoptPipe(let pipe, _, _, _): pipe.brokerClose()
        case .describeConnections(_, let then): then([])
        case .adoptRules(_, _, let then), .adoptSettings(_, let then): then()
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

    private func tellNoResponders(
        _ connection: ConnectionRef, _ subject: [UInt8], _ reply: [UInt8]
    ) {
        unsafe subject.withUnsafeBufferPointer { subject in
            unsafe reply.withUnsafeBufferPointer { reply in
                guard let subjectBytes = subject.baseAddress, let replyBytes = reply.baseAddress
                else { return }
                unsafe sendNoResponders(
                    connection,
                    Message(
                        subject: subjectBytes, subjectCount: subject.count, head: replyBytes,
                        headCount: reply.count, lineCount: reply.count, body: replyBytes,
                        bodyCount: 0,
                        payload: nil, replyCount: reply.count, headerBytes: 0, totalBytes: 0,
                        publisher: connection.pointee.handle, publisherLoop: UInt16(index),
                        wantsNoResponders: true,
                        excludesPublisher: false))
            }
        }
    }

    /// A reload: limits hold from now on, for connections that are there too.
    private func adopt(_ settings: LoopSettings) {
        var adopted = settings
        // The receive buffer was made for the longest control line at the start.
        adopted.hasRules = state.pointee.settings.hasRules
        adopted.controlLineBytesMax = min(settings.controlLineBytesMax, state.pointee.scratchBytes)
        state.pointee.settings = adopted
        // Held back by what was set before; this turn ends by what is set now.
        state.pointee.outputDueAt = .max
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
            guard left > 0, !connection.pointee.flags.contains(.isOwn) else { return }
            left -= 1
            doom(connection, .serverShutdown)
        }
    }

    func forEachConnection(_ body: (ConnectionRef) -> Void) {
        for i in 0..<state.pointee.connections.endIndex {
            let connection = state.pointee.connections[i]
            if case .none = connection.pointee.transport { continue }
            body(connection)
        }
    }
}
