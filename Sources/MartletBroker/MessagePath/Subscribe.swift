// Message path, beside Dispatch.swift: interest comes and goes.

import Glibc
import Synchronization

extension BrokerLoop {
    func subscribe(_ connection: ConnectionRef, _ operation: Operation) {
        let settings = state.pointee.settings
        let subject = unsafe input.at(operation.subject)
        let count = operation.subject.length
        connection.pointee.lastActivityAt = now
        if let permissions = unsafe connection.pointee.permissions?.takeUnretainedValue(),
            unsafe !permissions.allowsSubscribe(
                subject, count, queue: input.at(operation.queue), operation.queue.length)
        {
            return refuseSubscription(connection, operation, "")
        }
        if operation.queue.length == 5, unsafe memcmp(input.at(operation.queue), "_sys_", 5) == 0 {
            return refuseSubscription(connection, operation, " using queue \"_sys_\"")
        }
        if settings.subscriptionTokensMax > 0, connection.pointee.policy.hasTokenLimit,
            unsafe Subject.tokenCount(subject, count) > settings.subscriptionTokensMax
        {
            return refuseSubscription(
                connection, operation, ", too many tokens", hasTooManyTokens: true)
        }
        if settings.subscriptionsMax > 0,
            Int(connection.pointee.subscriptions.count) >= settings.subscriptionsMax
        {
            return refuseForNumber(connection)
        }
        let sid = unsafe input.at(operation.sid)
        let isNew =
            unsafe connection.pointee.subscriptions.find(
                sid, operation.sid.length, in: state.pointee.subscriptions) == nil
        if isNew {
            guard unsafe Subject.isValidForSubscription(subject, count) else {
                return sendError(connection, "Invalid Subject")
            }
            let bytes = unsafe bytesMax(ofSubscription: operation, subject)
            guard
                hasRoom(forSubscription: bytes) || makeRoom(forSubscription: bytes, of: connection)
            else { return refuseForMemory(connection) }
            do throws(OutOfMemory) {
                try open(connection, operation)
            } catch {
                return refuseForLackOfMemory(connection)
            }
        }
        acknowledge(connection)
    }

    private func refuseSubscription(
        _ connection: ConnectionRef, _ operation: Operation, _ detail: String,
        hasTooManyTokens: Bool = false
    ) {
        let subject = unsafe text(input.at(operation.subject), operation.subject.length)
        sendError(connection, "Permissions Violation for Subscription to \"\(subject)\"\(detail)")
        record(
            .subscriptionRefused(
                subject: subject,
                queue: unsafe text(input.at(operation.queue), operation.queue.length),
                sid: unsafe text(input.at(operation.sid), operation.sid.length),
                hasTooManyTokens: hasTooManyTokens), of: connection)
    }

    private func refuseForNumber(_ connection: ConnectionRef) {
        sendError(connection, "maximum subscriptions exceeded")
        recordRefusedSubscription(connection, .subscriptionsExceeded)
    }

    private func refuseForMemory(_ connection: ConnectionRef) {
        sendError(connection, "maximum subscriptions exceeded, max_memory reached")
        recordRefusedSubscription(connection, .subscriptionMemoryExceeded)
    }

    /// Logged every two seconds for an account: a client may go on trying.
    private func recordRefusedSubscription(
        _ connection: ConnectionRef, _ event: ConnectionEvent
    ) {
        let account = connection.pointee.account
        let last = account.pointee.limitLoggedAt.load(ordering: .relaxed)
        guard last == 0 || now &- last >= 2_000_000_000 else { return }
        account.pointee.limitLoggedAt.store(max(1, now), ordering: .relaxed)
        record(event, of: connection)
    }

    /// The most that a subscription may take: a subject of 10,000 tokens takes 80 times its bytes.
    private func bytesMax(ofSubscription operation: Operation, _ subject: Bytes) -> Int {
        SubjectTree.bytesMax(
            tokens: unsafe Subject.tokenCount(subject, operation.subject.length),
            nameBytes: operation.subject.length + operation.queue.length + operation.sid.length)
    }

    /// Whether the share of memory that subscriptions have, and the slab, take one more of so many bytes.
    private func hasRoom(forSubscription bytes: Int) -> Bool {
        let budget = shared.subscriptionBudget
        return budget.usedBytes + bytes <= budget.bytesMax
            && state.pointee.subscriptions.liveCount < Slab<Subscription>.slotsMax
    }

    /// Who holds most subscriptions goes, not who has few and asks for another, and what goes goes a
    /// few a turn. Until then the share of subscriptions is an eighth larger.
    private func makeRoom(forSubscription bytes: Int, of asker: ConnectionRef) -> Bool {
        let budget = shared.subscriptionBudget
        guard bytes <= Self.shedForBytesMax,
            budget.usedBytes + bytes <= budget.bytesMax + budget.bytesMax / 8,
            state.pointee.subscriptions.liveCount < Slab<Subscription>.slotsMax
        else { return false }
        if state.pointee.leaving.count > 0 { return true }
        let held = Int(asker.pointee.subscriptions.count)
        if shedLargestSubscriber(than: held) { return true }
        // It may be somebody of another loop.
        guard loopCount > 1, held < Self.shedSubscriptionsMin else { return false }
        if now >= state.pointee.sheddingAskedAt &+ Self.sheddingPauseNanoseconds {
            state.pointee.sheddingAskedAt = now
            for loop in shared.loops where loop.index != index {
                loop.mail.post(.shedSubscriptions(of: held))
            }
        }
        return true
    }

    /// Another loop found no room for a subscription of somebody who holds so many.
    func shedSubscriptions(of held: Int) {
        guard !hasRoom(forSubscription: Self.shedForBytesMax),
            state.pointee.leaving.count == 0
        else { return }
        _ = shedLargestSubscriber(than: held)
    }

    /// Closes who holds most subscriptions of this loop, if that is much more than somebody else's, and a quarter
    /// of all: of many who hold about as much none took the memory.
    private func shedLargestSubscriber(than held: Int) -> Bool {
        var largest: ConnectionRef?
        let quarter = state.pointee.subscriptions.liveCount / 4
        var most = max(Self.shedSubscriptionsMin, 8 * (held + 1), quarter) - 1
        forEachConnection {
            let count = Int($0.pointee.subscriptions.count)
            guard count > most, !$0.pointee.flags.contains(.isClosing) else { return }
            (largest, most) = ($0, count)
        }
        guard let largest else { return false }
        closeSlowConsumer(largest, .subscriptions(count: most))
        return true
    }

    /// About 400 tokens. For a larger one nobody goes.
    private static let shedForBytesMax = 64 << 10
    /// Who holds fewer does not go for others'.
    private static let shedSubscriptionsMin = 1_000
    private static let sheddingPauseNanoseconds: UInt64 = 10_000_000

    /// Of a subject that is long: short ones have few.
    static func tokens(_ subject: Bytes, _ count: Int) -> Int {
        count > 64 ? unsafe Subject.tokenCount(subject, count) : 0
    }

    /// Fills a record and makes it known. When this returns, every later publish finds it. Without memory
    /// nothing is left of it.
    private func open(
        _ connection: ConnectionRef, _ operation: Operation
    ) throws(OutOfMemory) {
        let tokens = unsafe Self.tokens(input.at(operation.subject), operation.subject.length)
        work.pointee.add(SliceWork.subscription + tokens * SliceWork.newNode)
        let record = try takeRecord(for: connection)
        do throws(OutOfMemory) {
            try copyNames(record, operation)
        } catch {
            state.pointee.subscriptions.give(back: Int(record.pointee.index))
            throw error
        }
        let policy = unsafe shared.slowConsumerPolicy(
            subject: record.pointee.subject, Int(record.pointee.subjectCount),
            account: connection.pointee.account.pointee.name)
        record.pointee.policy = connection.pointee.policy.slowConsumerPolicy ?? policy.policy
        if record.pointee.policy == .dropOld { connection.pointee.flags.insert(.dropsOld) }
        if record.pointee.policy != .close { connection.pointee.flags.insert(.staysWhenSlow) }
        if let limit = policy.pendingBytesMax { connection.pointee.pendingBytesMax = limit }
        try enter(record, of: connection)
        do throws(OutOfMemory) {
            try connection.pointee.account.pointee.space.insert(record)
        } catch {
            connection.pointee.subscriptions.remove(record, pool: pool)
            free(record)
            throw error
        }
        counters.pointee.subscriptions.add(1)
    }

    /// A record without names, for a subscription of this connection.
    func takeRecord(for connection: ConnectionRef) throws(OutOfMemory) -> SubscriptionRef {
        guard let slot = state.pointee.subscriptions.take({ Subscription(index: $0) }) else {
            throw OutOfMemory()
        }
        let record = state.pointee.subscriptions[slot]
        record.pointee.kind = .client
        record.pointee.loop = UInt16(index)
        record.pointee.connection = connection.pointee.handle
        record.pointee.delivered = 0
        record.pointee.deliveredMax = .max
        record.pointee.dropped = 0
        record.pointee.policy = .close
        return record
    }

    /// The connection has it, and whoever finds it may deliver to it. Without memory for that it is free again.
    func enter(_ record: SubscriptionRef, of connection: ConnectionRef) throws(OutOfMemory) {
        let generation = record.pointee.state.load(ordering: .relaxed) >> 2 + 1
        record.pointee.state.store(generation << 2 | Subscription.openBit, ordering: .releasing)
        do throws(OutOfMemory) {
            try connection.pointee.subscriptions.insert(
                record, pool: pool, seed: state.pointee.hashSeed)
        } catch {
            free(record)
            throw error
        }
    }

    /// A block for the names, whose lengths are known, which the record has then.
    func takeNames(_ record: SubscriptionRef) throws(OutOfMemory) -> MutableBytes {
        // 16 bytes of slack: a sid is copied in whole pieces of 16.
        let block = unsafe try namePool.allocate(record.pointee.nameBytes + 16)
        unsafe record.pointee.take(names: block)
        return unsafe record.pointee.subject
    }

    private func copyNames(
        _ record: SubscriptionRef, _ operation: Operation
    ) throws(OutOfMemory) {
        record.pointee.subjectCount = operation.subject.count
        record.pointee.queueCount = operation.queue.count
        record.pointee.spacedSIDCount = operation.sid.count + 2
        _ = unsafe try takeNames(record)
        unsafe memcpy(record.pointee.subject, input.at(operation.subject), operation.subject.length)
        if operation.queue.count > 0 {
            unsafe memcpy(record.pointee.queue, input.at(operation.queue), operation.queue.length)
        }
        let sid = unsafe record.pointee.spacedSID
        unsafe sid[0] = .space
        unsafe memcpy(sid + 1, input.at(operation.sid), operation.sid.length)
        unsafe sid[operation.sid.length + 1] = .space
    }

    /// UNSUB, at once or after a number of messages that counts from the SUB.
    func unsubscribe(_ connection: ConnectionRef, _ operation: Operation) {
        connection.pointee.lastActivityAt = now
        if let record = unsafe connection.pointee.subscriptions.find(
            input.at(operation.sid), operation.sid.length, in: state.pointee.subscriptions)
        {
            let wanted = operation.deliveredMax
            if wanted > record.pointee.delivered {
                record.pointee.deliveredMax = wanted
                Subscription.limit(record, to: wanted - record.pointee.delivered)
            } else {
                close(record, of: connection)
            }
        }
        acknowledge(connection)
    }

    /// Ends a subscription: no publish that starts later finds it, and what is on its way is dropped here.
    @inline(never)
    func close(_ record: SubscriptionRef, of connection: ConnectionRef) {
        connection.pointee.subscriptions.remove(record, pool: pool)
        retire(record, connection)
    }

    /// At once: of connections with many, `Leaving` has removed them before.
    func unsubscribeAll(_ connection: ConnectionRef) {
        assert(connection.pointee.subscriptions.count <= Self.departuresPerTurn)
        connection.pointee.subscriptions.forEach(in: state.pointee.subscriptions) { record in
            retire(record, connection)
        }
        connection.pointee.subscriptions.release(pool)
    }

    /// Closes the record and gives it back; the connection's table knows it no more.
    func retire(_ record: SubscriptionRef, _ connection: ConnectionRef) {
        work.pointee.add(SliceWork.subscription)
        markClosed(record)
        connection.pointee.account.pointee.space.remove(record)
        free(record)
        counters.pointee.subscriptions.add(-1)
    }

    private func markClosed(_ record: SubscriptionRef) {
        let generation = record.pointee.state.load(ordering: .relaxed) >> 2
        record.pointee.state.store(generation << 2, ordering: .releasing)
    }

    /// A record that neither table nor tree knows goes to its next tenant.
    func free(_ record: SubscriptionRef) {
        markClosed(record)
        unsafe namePool.free(record.pointee.names.unsafelyUnwrapped, record.pointee.nameBytes + 16)
        unsafe record.pointee.names = nil
        state.pointee.subscriptions.give(back: Int(record.pointee.index))
    }
}
