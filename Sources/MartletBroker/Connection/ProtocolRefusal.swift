// How a connection ends whose peer broke the protocol.

extension BrokerLoop {
    /// It is told what nats-server would say, and closed; the log tells what was wrong.
    ///
    /// - Parameters:
    ///   - operation: as far as it was understood.
    ///   - start: where it begins in the receive buffer.
    @inline(never)
    func refuse(
        _ connection: ConnectionRef, _ violation: ProtocolViolation,
        _ operation: Operation = Operation(), from start: Int = 0, to count: Int = 0
    ) {
        switch violation {
        case .unknownOperation:
            record(.violation(unknownOperation(from: start, to: count)), of: connection)
            end(connection, .protocolViolation, saying: "Unknown Protocol Operation")
        case .badArguments:
            let argument = unsafe bytes(input, operation.argument)
            record(.violation(.badArguments(operation.verb, argument)), of: connection)
            end(connection, .protocolViolation)
        case .headersNotSupported:
            record(.violation(.headersNotSupported), of: connection)
            end(connection, .protocolViolation)
        case .controlLineTooLong:
            record(.violation(.controlLineTooLong), of: connection)
            end(connection, .maxControlLineExceeded, saying: "maximum control line exceeded")
        case .payloadTooLarge:
            let limit = state.pointee.settings.payloadBytesMax
            record(
                .violation(.payloadTooLarge(operation.totalBytes, max: limit)), of: connection)
            end(connection, .maxPayloadExceeded, saying: "Maximum Payload Violation")
        }
    }

    /// Shown of what nobody understands; of what may be a CONNECT with secrets in it, nothing but its start.
    private static let shownBytesMax = 32

    private func unknownOperation(from start: Int, to count: Int) -> ProtocolViolationReport {
        let length = min(Self.shownBytesMax, max(0, count - start))
        var shown = unsafe Array(UnsafeBufferPointer(start: input + start, count: length))
        let isConnect = shown.prefix(3).elementsEqual("CON".utf8) { $0 & 0xDF == $1 }
        if isConnect { shown.removeLast(max(0, shown.count - 7)) }
        return .unknownOperation(at: start, beginning: shown)
    }

    /// A copy of a part of a buffer.
    func bytes(_ buffer: Bytes, _ range: ByteRange) -> [UInt8] {
        unsafe Array(
            UnsafeBufferPointer(start: buffer + Int(range.start), count: range.length))
    }
}
