import Foundation
import Glibc

@testable import MartletBroker

extension Wire {
    public static let inProcess = Wire(
        description: "in process",
        configure: { $0.dontListen = true },
        connect: { broker, pendingBytes in
            try PipeEnd(broker, capacity: pendingBytes ?? 1 << 20)
        })
}

/// The other end of the pipe that a client in the broker's process has.
///
/// SAFETY: `taken` and `start` are the receiver's; the rest is constant, and safe by itself.
final class PipeEnd: WireEnd, @unchecked Sendable {
    private let pipe: MemoryPipe
    private let input = Signal()
    private let room = Signal()
    /// What the pipe has given and nobody has read yet: it gives all it has at once.
    private var taken: [UInt8] = []
    private var start = 0

    init(_ broker: Broker, capacity: Int) throws(ClientFailure) {
        let place = PipePlace(on: nil, of: broker.shared)
        pipe = MemoryPipe(
            capacity: capacity, wakeBroker: { place.wakeLoop() },
            wakePeer: { [input] in input.raise() }, makeRoomKnown: { [room] in room.raise() })
        guard place.give(pipe) else { throw .connect(code: ECONNREFUSED) }
    }

    deinit { close() }

    // A signal is taken back before looking, so that what changes after that raises it again.

    func send(_ bytes: ArraySlice<UInt8>) throws(ClientFailure) -> Int {
        room.takeBack()
        guard let count = pipe.peerSend(bytes) else { throw .send(code: EPIPE) }
        return count
    }

    func receive(_ countMax: Int, into bytes: inout [UInt8]) -> WireInput {
        if start == taken.count {
            taken.removeAll(keepingCapacity: true)
            start = 0
            input.takeBack()
            let isOpen = pipe.peerReceive(into: &taken)
            if taken.isEmpty { return isOpen ? .nothingYet : .end }
        }
        let end = min(taken.count, start + countMax)
        bytes += taken[start..<end]
        start = end
        return .bytes
    }

    func wait(for change: WireChange, seconds: Double) -> Bool {
        switch change {
        case .input: start < taken.count || input.wait(seconds: seconds)
        case .room: room.wait(seconds: seconds)
        }
    }

    var hasSentAll: Bool { true }

    func close() { pipe.peerClose() }

    func reset() { close() }
}

/// Wakes the thread that waits for something to change; it stays raised until it is taken back.
///
/// SAFETY: `isRaised` belongs to the condition's lock.
private final class Signal: @unchecked Sendable {
    private let condition = NSCondition()
    private var isRaised = false

    func raise() {
        condition.withLock {
            isRaised = true
            condition.broadcast()
        }
    }

    func takeBack() { condition.withLock { isRaised = false } }

    /// False if nobody raises it in time.
    func wait(seconds: Double) -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        return condition.withLock {
            while !isRaised, condition.wait(until: deadline) {}
            return isRaised
        }
    }
}
