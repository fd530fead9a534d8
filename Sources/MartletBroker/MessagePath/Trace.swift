// Message path, beside Dispatch.swift: what a client sent, in the log (`trace`). Off, it costs a flag.

extension BrokerLoop {
    @inline(never)
    func trace(_ connection: ConnectionRef, _ operation: Operation) {
        let argument = unsafe text(input.at(operation.argument), operation.argument.length)
        func sent(_ verb: String, _ argument: String? = nil) {
            record(.sent(verb: verb, argument: argument), of: connection)
        }
        switch operation.verb {
        case .publish, .publishWithHeader:
            sent(operation.verb == .publish ? "PUB" : "HPUB", argument)
            guard operation.totalBytes < Self.largePayloadBytes else { return }
            let limit = state.pointee.settings.tracedMessageBytesMax
            let shown = limit > 0 ? min(limit, operation.totalBytes) : operation.totalBytes
            let payload = unsafe text(input + operation.payloadStart, shown)
            record(
                .sentPayload(payload, isWhole: shown == operation.totalBytes), of: connection)
        case .subscribe: sent("SUB", argument)
        case .unsubscribe: sent("UNSUB", argument)
        case .ping: sent("PING")
        case .pong: sent("PONG")
        case .connect: sent("CONNECT", Self.withoutSecrets(argument))
        case .info, .ignored, .error: break
        }
    }

    /// Passwords and tokens do not belong in a log.
    private static func withoutSecrets(_ json: String) -> String {
        var result = json
        for field in ["pass", "auth_token", "jwt", "sig"] {
            guard let name = result.firstRange(of: "\"\(field)\"") else { continue }
            let rest = result[name.upperBound...]
            guard let open = rest.firstIndex(of: "\""),
                let close = rest[rest.index(after: open)...].firstIndex(of: "\"")
            else { continue }
            result.replaceSubrange(rest.index(after: open)..<close, with: "[REDACTED]")
        }
        return result
    }
}
