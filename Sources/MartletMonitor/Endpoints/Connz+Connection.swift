import MartletBroker

extension Connz {
    /// One entry of `connections`.
    struct Connection: Encodable {
        let snapshot: ConnectionSnapshot
        let query: ConnzQuery
        let now: UInt64

        init(_ snapshot: ConnectionSnapshot, query: ConnzQuery, now: UInt64) {
            self.snapshot = snapshot
            self.query = query
            self.now = now
        }

        enum Key: String, CodingKey {
            case cid, kind, type, ip, port, start, stop, reason, rtt, uptime, idle, stalls, paused
            case subscriptions, name, lang, version, account
            case lastActivity = "last_activity"
            case pendingBytes = "pending_bytes"
            case inMsgs = "in_msgs"
            case outMsgs = "out_msgs"
            case inBytes = "in_bytes"
            case outBytes = "out_bytes"
            case droppedMsgs = "dropped_msgs"
            case authorizedUser = "authorized_user"
            case subscriptionsList = "subscriptions_list"
            case subscriptionsListDetail = "subscriptions_list_detail"
        }

        static func uptime(_ snapshot: ConnectionSnapshot, now: UInt64) -> UInt64 {
            (snapshot.stoppedAt ?? now).saturatingDifference(snapshot.startedAt)
        }

        func encode(to encoder: any Encoder) throws {
            var values = encoder.container(keyedBy: Key.self)
            try values.encode(snapshot.id, forKey: .cid)
            try values.encode(snapshot.kind, forKey: .kind)
            try values.encode(snapshot.type, forKey: .type)
            try values.encode(snapshot.ip, forKey: .ip)
            try encodeTimes(&values)
            try encodeCounts(&values)
            try encodeClient(&values)
            try encodeSubscriptions(&values)
        }

        private func encodeTimes(_ values: inout KeyedEncodingContainer<Key>) throws {
            let until = snapshot.stoppedAt ?? now
            let idle = until.saturatingDifference(snapshot.lastActivityAt)
            let uptime = Self.uptime(snapshot, now: now)
            let start = GoText.time(nanosecondsSince1970: snapshot.startedAt)
            let last = GoText.time(nanosecondsSince1970: snapshot.lastActivityAt)
            try values.encode(start, forKey: .start)
            try values.encode(last, forKey: .lastActivity)
            if let stop = snapshot.stoppedAt {
                try values.encode(GoText.time(nanosecondsSince1970: stop), forKey: .stop)
            }
            try values.encodeIfPresent(snapshot.closeReason, forKey: .reason)
            if snapshot.roundTripNanoseconds > 0 {
                let text = GoText.duration(nanoseconds: snapshot.roundTripNanoseconds)
                try values.encode(text, forKey: .rtt)
            }
            try values.encode(GoText.uptime(nanoseconds: uptime), forKey: .uptime)
            try values.encode(GoText.uptime(nanoseconds: idle), forKey: .idle)
        }

        private func encodeCounts(_ values: inout KeyedEncodingContainer<Key>) throws {
            let numbers: [(Key, Int)] = [
                (.port, snapshot.port), (.pendingBytes, snapshot.pendingBytes),
                (.inMsgs, snapshot.messagesIn), (.outMsgs, snapshot.messagesOut),
                (.inBytes, snapshot.bytesIn), (.outBytes, snapshot.bytesOut),
                (.subscriptions, snapshot.subscriptionCount),
            ]
            for (key, number) in numbers { try values.encode(number, forKey: key) }
            if snapshot.stalls > 0 { try values.encode(snapshot.stalls, forKey: .stalls) }
            // Two that nats-server has not.
            if snapshot.droppedMessages > 0 {
                try values.encode(snapshot.droppedMessages, forKey: .droppedMsgs)
            }
            if !snapshot.pauseReasons.isEmpty {
                try values.encode(snapshot.pauseReasons.map(\.rawValue), forKey: .paused)
            }
        }

        private func encodeClient(_ values: inout KeyedEncodingContainer<Key>) throws {
            var texts: [(Key, String)] = [
                (.name, snapshot.name), (.lang, snapshot.language), (.version, snapshot.version),
            ]
            if query.showsAuth {
                texts.append((.authorizedUser, snapshot.authorizedUser))
                texts.append((.account, snapshot.account == "$G" ? "" : snapshot.account))
            }
            for (key, text) in texts where !text.isEmpty { try values.encode(text, forKey: key) }
        }

        private func encodeSubscriptions(_ values: inout KeyedEncodingContainer<Key>) throws {
            guard !snapshot.subscriptions.isEmpty else { return }
            if query.showsSubscriptionDetail {
                let details = snapshot.subscriptions.map { SubscriptionDetail($0) }
                try values.encode(details, forKey: .subscriptionsListDetail)
            } else if query.showsSubscriptions {
                try values.encode(
                    snapshot.subscriptions.map(\.subject), forKey: .subscriptionsList)
            }
        }
    }
}

/// One subscription, in `/connz?subs=detail` and `/subsz?subs=1`.
struct SubscriptionDetail: Encodable {
    let account: String?
    let subject: String
    let queueGroup: String?
    let sid: String
    let messages: Int
    let droppedMessages: Int?
    let messagesMax: Int?
    let connectionID: UInt64

    enum CodingKeys: String, CodingKey {
        case account, subject
        case queueGroup = "qgroup"
        case sid
        case messages = "msgs"
        case droppedMessages = "dropped_msgs"
        case messagesMax = "max"
        case connectionID = "cid"
    }

    init(_ snapshot: SubscriptionSnapshot, showsAccount: Bool = false) {
        account = showsAccount ? snapshot.account : nil
        subject = snapshot.subject
        queueGroup = snapshot.queue
        sid = snapshot.sid
        messages = snapshot.messages
        droppedMessages = snapshot.droppedMessages > 0 ? snapshot.droppedMessages : nil
        messagesMax = snapshot.messagesMax > 0 ? snapshot.messagesMax : nil
        connectionID = snapshot.connectionID
    }
}
