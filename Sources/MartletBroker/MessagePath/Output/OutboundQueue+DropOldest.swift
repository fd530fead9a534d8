// Message path, beside OutboundQueue.swift: the slow consumer policy `drop_old`.

import Glibc

extension OutboundQueue {
    /// Takes whole messages from the front, oldest first, until `wanted` bytes are free; keeps what was
    /// partly sent, and every protocol line. Tells of each message that went its sid and how long header and
    /// payload were, and returns how many went: none when there is no memory to keep the rest.
    ///
    /// `firstFrame` is where the first frame of which nothing was sent starts, in bytes from the front.
    /// What is kept from the front is copied; what stands behind it stays where it is.
    mutating func dropOldest(
        freeing wanted: Int, firstFrame: Int, pool: BlockPool, returns: ReturnStack,
        _ went: (_ sid: CountedBytes, _ byteCount: Int) -> Void
    ) -> Int {
        var kept = OutboundQueue()
        var cursor = Cursor(head)
        guard kept.copy(firstFrame, from: &cursor, pool: pool) else {
            kept.removeAll(pool: pool, returns: returns)
            return 0
        }
        var dropped = 0
        var freed = 0
        while freed < wanted, let frame = cursor.frame() {
            if frame.isMessage {
                freed += frame.byteCount
                dropped += 1
                cursor.skip(frame.byteCount)
            } else if !kept.copy(frame.byteCount, from: &cursor, pool: pool) {
                kept.removeAll(pool: pool, returns: returns)
                return 0
            }
        }
        var gone = Cursor(head)
        gone.skip(firstFrame)
        gone.skip(dropped, went)
        let left = pendingBytes - freed
        while head != cursor.segment { removeHead(pool: pool, returns: returns) }
        cursor.segment?.pointee.start = UInt32(cursor.offset)
        if let keptTail = kept.tail {
            keptTail.pointee.next = head
            head = kept.head
            if tail == nil { tail = keptTail }
        }
        pendingBytes = left
        return dropped
    }

    /// How far from the front the first whole frame will start once `sent` bytes are gone.
    func firstFrame(after sent: Int, startingFrom firstFrame: Int) -> Int {
        var cursor = Cursor(head)
        cursor.skip(firstFrame)
        var position = firstFrame
        while position < sent, let frame = cursor.frame() {
            position += frame.byteCount
            cursor.skip(frame.byteCount)
        }
        return max(0, position - sent)
    }

    /// Copies the next bytes of a cursor's queue to the end of this one; payloads by reference.
    private mutating func copy(_ count: Int, from cursor: inout Cursor, pool: BlockPool) -> Bool {
        var left = count
        while left > 0, let segment = cursor.segment {
            let available = Int(segment.pointee.end) - cursor.offset
            let step: Int
            if let payload = segment.pointee.payload {
                step = available
                guard append(payload, from: cursor.offset, pool: pool) else { return false }
            } else {
                step = min(left, available)
                guard let room = unsafe reserve(step, pool: pool) else { return false }
                unsafe memcpy(room, segment.pointee.bytes + cursor.offset, step)
                commit(step)
            }
            left -= step
            cursor.skip(step)
        }
        return true
    }
}

extension OutboundQueue {
    /// A place in a queue's bytes.
    ///
    /// SAFETY: `offset` is not beyond the end of `segment`, and the queue stays as it is meanwhile.
    @safe
    struct Cursor {
        private(set) var segment: SegmentRef?
        private(set) var offset = 0

        init(_ head: SegmentRef?) {
            segment = head
            offset = Int(head?.pointee.start ?? 0)
            settle()
        }

        mutating func skip(_ count: Int) {
            var left = count
            while left > 0, let current = segment {
                let step = min(left, Int(current.pointee.end) - offset)
                offset += step
                left -= step
                settle()
            }
        }

        /// Goes behind so many messages, and tells of each.
        mutating func skip(_ messages: Int, _ each: (CountedBytes, Int) -> Void) {
            var left = messages
            while left > 0, let frame = frame() {
                if frame.isMessage {
                    each(sid(), frame.contentBytes)
                    left -= 1
                }
                skip(frame.byteCount)
            }
        }

        private mutating func settle() {
            while let current = segment, offset >= Int(current.pointee.end) {
                segment = current.pointee.next
                offset = Int(segment?.pointee.start ?? 0)
            }
        }

        /// Of the message that starts here: the third word of its line.
        private func sid() -> CountedBytes {
            guard let segment else { return .none }
            let line = unsafe CountedBytes(
                Bytes(segment.pointee.bytes) + offset, Int(segment.pointee.end) - offset)
            let subject = line.behindSpace()
            let sid = subject.behindSpace()
            return sid.prefix(sid.count - sid.behindSpace().count - 1)
        }

        /// The frame that starts here. What the broker wrote is well-formed: a message's control line
        /// ends with its size, and every other line ends with LF.
        func frame() -> (byteCount: Int, isMessage: Bool, contentBytes: Int)? {
            guard let segment else { return nil }
            let bytes = unsafe segment.pointee.bytes + offset
            let available = Int(segment.pointee.end) - offset
            guard let found = unsafe memchr(bytes, Int32(UInt8.lineFeed), available) else {
                return nil
            }
            let line = unsafe UnsafeRawPointer(found) - UnsafeRawPointer(bytes)
            let isMessage = unsafe bytes[0] == UInt8(ascii: "H") || bytes[0] == UInt8(ascii: "M")
            guard isMessage else { return (line + 1, false, 0) }
            var size = 0
            var scale = 1
            var i = line - 2  // before CR LF
            while i >= 0, unsafe bytes[i] >= UInt8(ascii: "0"), unsafe bytes[i] <= UInt8(ascii: "9")
            {
                unsafe size += Int(bytes[i] - UInt8(ascii: "0")) * scale
                scale *= 10
                i -= 1
            }
            // Who asked must hear that nobody is there.
            let beginning = Line.noResponders
            let isNoResponders =
                unsafe available > line + beginning.utf8CodeUnitCount
                && memcmp(bytes + line + 1, beginning.utf8Start, beginning.utf8CodeUnitCount) == 0
            return (line + 1 + size + 2, !isNoResponders, size)
        }
    }
}

extension CountedBytes {
    /// What follows the first space.
    fileprivate func behindSpace() -> CountedBytes {
        var i = 0
        while i < count, self[i] != .space { i += 1 }
        return dropFirst(min(i + 1, count))
    }
}
