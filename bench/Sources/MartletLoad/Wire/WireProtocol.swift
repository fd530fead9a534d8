import ArgumentParser

/// What a server speaks: everything that the workloads need to know of it.
enum WireProtocol: String, ExpressibleByArgument, CaseIterable {
    case nats
    /// RESP2, as of Redis: SUBSCRIBE and PUBLISH.
    case redis
    /// MQTT 3.1.1 at quality of service 0.
    case mqtt

    /// What a client says first.
    var hello: [UInt8] {
        switch self {
        case .nats: NATSWire.hello
        case .redis: []
        case .mqtt: MQTTWire.hello
        }
    }

    /// Answered after everything before it has been handled.
    var ping: [UInt8] {
        switch self {
        case .nats: NATSWire.ping
        case .redis: RedisWire.ping
        case .mqtt: MQTTWire.ping
        }
    }

    /// `subject` may have the wildcards `*` and `>`; `number` is unique on its connection.
    func subscribe(_ subject: String, number: Int) -> [UInt8] {
        switch self {
        case .nats: Array("SUB \(subject) \(number)\r\n".utf8)
        case .redis: RedisWire.subscribe(subject)
        case .mqtt: MQTTWire.subscribe(subject, number: number)
        }
    }

    func unsubscribe(_ subject: String, number: Int) -> [UInt8] {
        switch self {
        case .nats: Array("UNSUB \(number)\r\n".utf8)
        case .redis: RedisWire.unsubscribe(subject)
        case .mqtt: MQTTWire.unsubscribe(subject, number: number)
        }
    }

    /// Everything of a published message that stands before its payload. `replyEnd` is where the reply
    /// subject ends, which only NATS has.
    func publishHead(
        _ subject: String, reply: String?, payloadBytes: Int
    ) -> (bytes: [UInt8], replyEnd: Int) {
        switch self {
        case .nats: NATSWire.publishHead(subject, reply: reply, payloadBytes: payloadBytes)
        case .redis: (RedisWire.publishHead(subject, payloadBytes: payloadBytes), 0)
        case .mqtt: (MQTTWire.publishHead(subject, payloadBytes: payloadBytes), 0)
        }
    }

    /// Whether CR LF follows a payload.
    var endsPayloadWithLine: Bool { self != .mqtt }

    /// What stands first in received bytes.
    @inline(__always)
    func frame(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) throws -> Frame {
        switch self {
        case .nats: try unsafe NATSWire.frame(bytes, count)
        case .redis: try unsafe RedisWire.frame(bytes, count)
        case .mqtt: try unsafe MQTTWire.frame(bytes, count)
        }
    }
}
