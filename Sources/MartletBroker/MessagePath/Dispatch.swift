// Message path, step 3: any other operation goes to the function that carries it out. Next: Publish.swift.

extension BrokerLoop {
    @inline(__always)
    func dispatch(_ connection: ConnectionRef, _ operation: Operation) {
        if state.pointee.settings.traces { trace(connection, operation) }
        if operation.verb == .publish || operation.verb == .publishWithHeader {
            unsafe publish(connection, input, operation, nil)
        } else {
            carryOut(connection, operation)
        }
    }

    /// Apart, so that what messages run through stays small enough to be one function.
    @inline(never)
    private func carryOut(_ connection: ConnectionRef, _ operation: Operation) {
        guard connection.pointee.policy.verbs.contains(.init(operation.verb)) else {
            return refuse(connection, .unknownOperation, operation)
        }
        switch operation.verb {
        case .publish, .publishWithHeader: break
        case .ping: answerPing(connection)
        case .pong: recordPong(connection)
        case .subscribe: subscribe(connection, operation)
        case .unsubscribe: unsubscribe(connection, operation)
        case .connect:
            unsafe connect(connection, input.at(operation.argument), operation.argument.length)
        case .info:
            var reader = unsafe JSONReader(input.at(operation.argument), operation.argument.length)
            if reader.document() == nil { end(connection, .protocolViolation) }
        case .ignored: break
        case .error:
            let said = unsafe text(input.at(operation.argument), operation.argument.length)
            record(.errorReceived(said), of: connection)
            end(connection, .parseError)
        }
    }

    /// The barrier that clients build on: whatever was published before, on any loop, is queued by now
    /// (`readInput` sees to that), and the PONG comes behind it.
    @inline(__always)
    func answerPing(_ connection: ConnectionRef) {
        send(connection, Line.pong)
        if connection.pointee.opening.sendsInfoAfterPong(),
            connection.pointee.flags.contains(.asyncInfo)
        {
            sendInfo(connection, isConnectInfo: true)
        }
    }

    /// +OK, which only verbose clients get.
    @inline(__always)
    func acknowledge(_ connection: ConnectionRef) {
        if connection.pointee.flags.contains(.verbose) { send(connection, Line.ok) }
    }
}
