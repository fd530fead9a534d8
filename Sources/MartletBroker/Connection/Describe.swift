// Connections as monitoring sees them.

import Glibc

extension BrokerLoop {
    func snapshot(
        of connection: ConnectionRef, withSubscriptions: Bool, reason: CloseReason?
    ) -> ConnectionSnapshot {
        var snapshot = ConnectionSnapshot()
        snapshot.id = connection.pointee.id
        if let details = unsafe connection.pointee.details?.takeUnretainedValue() {
            snapshot.ip = details.ip
            snapshot.port = details.port
            snapshot.startedAt = details.startedAt
            snapshot.name = details.name
            snapshot.language = details.language
            snapshot.version = details.version
            snapshot.authorizedUser = details.user
        }
        snapshot.account = connection.pointee.account.pointee.name
        let quiet = connection.pointee.lastActivityAt &- connection.pointee.acceptedAt
        snapshot.lastActivityAt = snapshot.startedAt &+ quiet
        if let reason {
            snapshot.stoppedAt = Clock.wallNanoseconds()
            snapshot.closeReason = reason.text
        }
        snapshot.roundTripNanoseconds = connection.pointee.roundTripNanoseconds
        snapshot.pendingBytes = connection.pointee.outbound.pendingBytes
        snapshot.messagesIn = Int(connection.pointee.messagesIn)
        snapshot.messagesOut = Int(connection.pointee.messagesOut)
        snapshot.bytesIn = Int(connection.pointee.bytesIn)
        snapshot.bytesOut = Int(connection.pointee.bytesOut)
        snapshot.droppedMessages = connection.pointee.droppedMessages
        snapshot.stalls = connection.pointee.stalls
        snapshot.pauseReasons = PauseReason.all(in: connection.pointee.pauseReasons)
        snapshot.loop = index
        snapshot.subscriptionCount = Int(connection.pointee.subscriptions.count)
        if withSubscriptions {
            connection.pointee.subscriptions.forEach(in: state.pointee.subscriptions) { record in
                snapshot.subscriptions.append(
                    self.snapshot(of: record, connection, snapshot.account))
            }
        }
        return snapshot
    }

    func snapshot(
        of record: SubscriptionRef, _ connection: ConnectionRef, _ account: String
    ) -> SubscriptionSnapshot {
        var one = SubscriptionSnapshot()
        one.account = account
        one.subject = unsafe text(record.pointee.subject, Int(record.pointee.subjectCount))
        if record.pointee.isQueued {
            one.queue = unsafe text(record.pointee.queue, Int(record.pointee.queueCount))
        }
        one.sid = unsafe text(record.pointee.spacedSID + 1, Int(record.pointee.spacedSIDCount) - 2)
        one.messages = record.pointee.delivered
        one.droppedMessages = record.pointee.dropped
        let most = record.pointee.deliveredMax
        one.messagesMax = most == .max ? 0 : most
        one.connectionID = connection.pointee.id
        return one
    }
}
