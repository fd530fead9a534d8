// Message path, beside DeliverRemote.swift: a plain PUB whose only subscriber is on another loop.

import CMartletSystem
import Synchronization

/// Such a message in a batch: this header, then subject, line and payload as `PublishFastPath` found them, with slack.
/// Where copying a frame is not all there is to a delivery, it is made a `Message` of again. 939 instructions a message
/// became 465.
///
/// SAFETY: `subjectCount + tailCount` bytes follow the header, and 16 of slack; the first word has its lowest bit set,
/// which tells it from a `BatchRecord`.
@safe
struct PlainRecord: BitwiseCopyable {
    private let sizeAndMark: Int
    let destination: Destination
    let origin: Origin
    let subjectCount: UInt32
    let tailCount: UInt32
    let lineCount: UInt32
    let replyCount: UInt32
    let payloadCount: UInt32

    static let mark = 1

    @inline(__always)
    init(_ found: PublishFastPath, to destination: Destination, from origin: Origin) {
        sizeAndMark = Self.byteCount(found) | Self.mark
        self.destination = destination
        self.origin = origin
        subjectCount = UInt32(truncatingIfNeeded: found.subjectCount)
        tailCount = UInt32(truncatingIfNeeded: found.byteCount &- found.tailStart)
        lineCount = UInt32(truncatingIfNeeded: found.lineCount &- found.tailStart)
        replyCount = UInt32(truncatingIfNeeded: found.replyCount)
        payloadCount = UInt32(truncatingIfNeeded: found.payloadCount)
    }

    var byteCount: Int { sizeAndMark & ~Self.mark }

    /// A multiple of 8, with the slack.
    @inline(__always)
    static func byteCount(_ found: PublishFastPath) -> Int {
        let bytes = found.subjectCount &+ found.byteCount &- found.tailStart
        return (MemoryLayout<PlainRecord>.stride &+ bytes &+ 16 &+ 7) & ~7
    }
}

extension PlainRecord {
    /// The same as any other message, whose bytes stand at `bytes`.
    func message(at bytes: Bytes) -> Message {
        unsafe Message(
            subject: CountedBytes(bytes, Int(subjectCount)),
            line: CountedBytes(bytes + Int(subjectCount), Int(lineCount)),
            replyCount: Int(replyCount), headerBytes: 0, totalBytes: Int(payloadCount),
            content: .behindLine, from: origin)
    }
}

extension BrokerLoop {
    /// Puts the message into the batch for its subscriber's loop. False, and nothing has happened, where there is
    /// more to do.
    @inline(__always)
    func postPlain(
        _ found: PublishFastPath, _ line: Bytes, _ connection: ConnectionRef,
        along route: StablePointer<Route>
    ) -> Bool {
        guard route.pointee.traits == .otherLoops, route.pointee.plainCount == 1 else {
            return false
        }
        let destination = unsafe route.pointee.destinations[0]
        let link = unsafe outgoing[Int(destination.loop)]
        guard link.pointee.hasRoom,
            Subscription.claim(destination.subscription, expecting: destination.state)
        else { return false }
        let byteCount = PlainRecord.byteCount(found)
        guard let place = unsafe link.pointee.reserve(byteCount, payloadBytes: 0, pool: pool) else {
            Subscription.giveBackClaim(destination.subscription, expecting: destination.state)
            return false
        }
        var origin = Origin(connection, on: index)
        // As `takesFastPath` says.
        origin.flags.remove(.noEcho)
        let record = PlainRecord(found, to: destination, from: origin)
        unsafe place.storeBytes(of: record, as: PlainRecord.self)
        let bytes = unsafe (place + MemoryLayout<PlainRecord>.stride)
            .assumingMemoryBound(to: UInt8.self)
        let tail = unsafe found.tail(in: line)
        unsafe martlet_copy_slack16(bytes, line + PublishFastPath.subjectStart, found.subjectCount)
        unsafe martlet_copy_slack16(bytes + found.subjectCount, tail.start, tail.count)
        assert(
            MemoryLayout<PlainRecord>.stride + found.subjectCount + tail.count + 16 <= byteCount)
        work.pointee.add(SliceWork.operation &+ SliceWork.look &+ SliceWork.destination)
        return true
    }

    /// One of these has come in a batch.
    @inline(__always)
    func deliverPlain(at place: UnsafeMutableRawPointer) {
        let record = unsafe place.assumingMemoryBound(to: PlainRecord.self)
        let destination = unsafe record.pointee.destination
        let subscription = destination.subscription
        let current = subscription.pointee.state.load(ordering: .relaxed)
        guard (current ^ destination.state) & ~Subscription.maximumBit == 0 else { return }
        let bytes = unsafe UnsafePointer(
            (place + MemoryLayout<PlainRecord>.stride).assumingMemoryBound(to: UInt8.self))
        let connection = subscriber(subscription)
        let subjectCount = unsafe Int(record.pointee.subjectCount)
        let tailCount = unsafe Int(record.pointee.tailCount)
        let sidCount = Int(subscription.pointee.spacedSIDCount)
        let frameBytes = 4 &+ subjectCount &+ sidCount &+ tailCount
        guard
            connection.pointee.flags.isDisjoint(with: [.isClosing, .discardsOutput, .isTraced]),
            connection.pointee.outbound.pendingBytes &+ frameBytes
                <= connection.pointee.pendingBytesMax
        else {
            _ = unsafe deliver(record.pointee.message(at: bytes), to: subscription)
            return
        }
        guard var end = unsafe reserve(frameBytes, on: connection) else { return }
        unsafe UnsafeMutableRawPointer(end).storeBytes(of: 0x2047_534D, as: UInt32.self)  // "MSG "
        unsafe end += 4
        unsafe martlet_copy_slack16(end, bytes, subjectCount)
        unsafe end += subjectCount
        unsafe martlet_copy_slack16(end, subscription.pointee.spacedSID, sidCount)
        unsafe martlet_copy_slack16(end + sidCount, bytes + subjectCount, tailCount)
        connection.pointee.outbound.commit(frameBytes)
        recordDelivery(connection, unsafe Int(record.pointee.payloadCount))
        countDelivery(subscription, of: connection)
    }
}
