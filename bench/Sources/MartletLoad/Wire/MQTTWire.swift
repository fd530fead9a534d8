/// MQTT 3.1.1 at quality of service 0: http://docs.oasis-open.org/mqtt/mqtt/v3.1.1
enum MQTTWire {
    /// A clean session with a name that the server gives, and no keep-alive.
    static let hello = packet(0x10, string("MQTT") + [4, 0x02, 0, 0] + string(""))
    static let ping: [UInt8] = [0xC0, 0]

    static func subscribe(_ subject: String, number: Int) -> [UInt8] {
        packet(0x82, identifier(number) + string(topic(subject)) + [0])
    }

    static func unsubscribe(_ subject: String, number: Int) -> [UInt8] {
        packet(0xA2, identifier(number) + string(topic(subject)))
    }

    static func publishHead(_ subject: String, payloadBytes: Int) -> [UInt8] {
        let name = string(topic(subject))
        return [0x30] + lengthField(name.count + payloadBytes) + name
    }

    private static func topic(_ subject: String) -> String {
        let names: [Character: Character] = [".": "/", "*": "+", ">": "#"]
        return String(subject.map { names[$0] ?? $0 })
    }

    /// Not 0, which MQTT forbids.
    private static func identifier(_ number: Int) -> [UInt8] {
        let identifier = UInt16(number % 65_535) + 1
        return [UInt8(identifier >> 8), UInt8(identifier & 255)]
    }

    private static func string(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return [UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
    }

    private static func packet(_ kind: UInt8, _ body: [UInt8]) -> [UInt8] {
        [kind] + lengthField(body.count) + body
    }

    /// Seven bits a byte, the lowest first.
    private static func lengthField(_ length: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = length
        repeat {
            let digit = UInt8(rest & 127)
            rest >>= 7
            bytes.append(rest > 0 ? digit | 128 : digit)
        } while rest > 0
        return bytes
    }

    @inline(__always)
    static func frame(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) throws -> Frame {
        var length = 0
        var i = 1
        repeat {
            guard i < count else { return .partial }
            length |= Int(unsafe bytes[i] & 127) &<< (7 &* (i &- 1))
            i &+= 1
        } while unsafe bytes[i &- 1] > 127
        let frameBytes = i &+ length
        guard frameBytes <= count else { return .partial }
        switch unsafe bytes[0] >> 4 {
        case 3:
            let payload = unsafe i &+ 2 &+ Int(bytes[i]) << 8 &+ Int(bytes[i &+ 1])
            let message = unsafe Message(
                payload: UnsafePointer(bytes + payload), byteCount: frameBytes &- payload,
                reply: UnsafePointer(bytes + payload), replyCount: 0)
            return .message(message, frameBytes: frameBytes)
        case 13: return .pong(frameBytes: frameBytes)
        case 2 where unsafe bytes[i &+ 1] != 0:
            throw LoadFailure("the server refused the connection with \(unsafe bytes[i &+ 1])")
        case 9 where unsafe bytes[frameBytes &- 1] > 2:
            throw LoadFailure("the server refused a subscription")
        default: return .other(frameBytes: frameBytes)
        }
    }
}
