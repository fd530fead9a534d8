/// The side of whoever is connected to the broker: a client or a handler of this process.
extension MemoryPipe {
    /// Takes as many bytes as there is room for; how many. nil when either side has closed. After fewer
    /// than it was given, the peer is told once there is room again.
    func peerSend(_ bytes: ArraySlice<UInt8>) -> Int? {
        let (taken, wakes) = state.withLock { state -> (Int?, Bool) in
            guard !state.brokerClosed, !state.peerClosed else { return (nil, false) }
            let count = min(capacity - state.unread, bytes.count)
            state.dropRead(beyond: capacity)
            state.toBroker.append(contentsOf: bytes.prefix(count))
            state.recount()
            state.peerWaitsForRoom = count < bytes.count
            let wakes = state.brokerWaitsForInput && count > 0
            if wakes { state.brokerWaitsForInput = false }
            return (count, wakes)
        }
        if wakes { wakeBroker() }
        return taken
    }

    /// Takes a frame that is given in parts, whole or not at all. False when there is no room: the peer
    /// is told once there is. A frame fits when the pipe is not full, however large it is. nil when either
    /// side has closed.
    func peerSend(whole parts: UnsafeBufferPointer<UnsafeRawBufferPointer>) -> Bool? {
        let (taken, wakes) = state.withLock { state -> (Bool?, Bool) in
            guard !state.brokerClosed, !state.peerClosed else { return (nil, false) }
            guard state.unread < capacity else {
                state.peerWaitsForRoom = true
                return (false, false)
            }
            state.dropRead(beyond: capacity)
            for i in parts.indices { unsafe state.toBroker.append(contentsOf: parts[i]) }
            state.recount()
            let wakes = state.brokerWaitsForInput
            state.brokerWaitsForInput = false
            return (true, wakes)
        }
        if wakes { wakeBroker() }
        return taken
    }

    /// Exchanges an empty buffer for what the broker has sent since, so that neither side allocates.
    /// False when it has closed and all is read, or the peer has closed.
    func peerReceive(into buffer: inout [UInt8]) -> Bool {
        let (isOpen, wakes) = state.withLock { state -> (Bool, Bool) in
            swap(&state.toPeer, &buffer)
            state.recount()
            let wakes = state.brokerWaitsForRoom && !buffer.isEmpty
            if wakes { state.brokerWaitsForRoom = false }
            let isOver = state.peerClosed || buffer.isEmpty && state.brokerClosed
            return (!isOver, wakes)
        }
        if wakes { wakeBroker() }
        return isOpen
    }

    /// Whether the broker has more to send than there is room for.
    var isFullForPeer: Bool { state.withLock { $0.brokerWaitsForRoom } }

    /// What the broker has sent since; nil when it has closed and all is read, or the peer has closed.
    func peerReceive() -> [UInt8]? {
        var bytes: [UInt8] = []
        return peerReceive(into: &bytes) ? bytes : nil
    }

    /// The broker still reads what was sent before; what it sends from now on is thrown away.
    func peerClose() {
        state.withLock {
            $0.peerClosed = true
            $0.toPeer = []
            $0.recount()
        }
        wakeBroker()
    }
}
