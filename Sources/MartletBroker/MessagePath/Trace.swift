// Message path, beside Dispatch.swift: what a client sent, in the log (`trace`). Off, it costs a flag.

import Logging

extension BrokerLoop {
    @inline(never)
    func trace(_ connection: ConnectionRef, _ operation: Operation) {
        let prefix = name(of: connection)
        let argument = unsafe text(input.at(operation.argument), operation.argument.length)
        switch operation.verb {
        case .publish, .publishWithHeader:
            let verb = operation.verb == .publish ? "PUB" : "HPUB"
            shared.logger.trace("\(prefix) - <<- [\(verb) \(argument)]")
            guard operation.totalBytes < Self.largePayloadBytes else { return }
            let limit = state.pointee.settings.tracedMessageBytesMax
            let shown = limit > 0 ? min(limit, operation.totalBytes) : operation.totalBytes
            let payload = unsafe text(input + operation.payloadStart, shown)
            let more = shown < operation.totalBytes ? "..." : ""
            shared.logger.trace("\(prefix) - <<- MSG_PAYLOAD: [\"\(payload)\(more)\"]")
        case .subscribe: shared.logger.trace("\(prefix) - <<- [SUB \(argument)]")
        case .unsubscribe: shared.logger.trace("\(prefix) - <<- [UNSUB \(argument)]")
        case .ping: shared.logger.trace("\(prefix) - <<- [PING]")
        case .pong: shared.logger.trace("\(prefix) - <<- [PONG]")
        case .connect:
            shared.logger.trace("\(prefix) - <<- [CONNECT \(Self.withoutSecrets(argument))]")
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
