/// One pass over a document: checks it and writes the tape. It does not recurse.
///
/// Only the tape's end, the frame and the place are changed at every step, so that they stay in
/// registers; a frame's fields stay in memory.
///
/// SAFETY: an entry is written only after `tapeEnd` was looked at, which leaves room for two; a
/// frame is entered only after `frameEnd` was.
@safe
struct JSONScanner {
    private let text: ScanText
    private let count: Int
    private let duplicates: DuplicateKeys
    private let limits: JSONLimits
    private let tapeStart: UnsafeMutablePointer<JSONEntry>
    private let tapeEnd: UnsafeMutablePointer<JSONEntry>
    private let frameStart: UnsafeMutablePointer<ScanFrame>
    private let frameEnd: UnsafeMutablePointer<ScanFrame>

    @safe
    private struct Place {
        var tape: UnsafeMutablePointer<JSONEntry>
        var frame: UnsafeMutablePointer<ScanFrame>
    }

    /// For bytes that the scratch has copied.
    init(count: Int, in scratch: borrowing RuleScratch) {
        unsafe text = ScanText(UnsafePointer(scratch.text.start))
        self.count = count
        limits = scratch.limits
        unsafe tapeStart = scratch.tape.start
        unsafe tapeEnd = tapeStart + 2 * limits.fieldsMax
        unsafe frameStart = scratch.frames.start
        unsafe frameEnd = frameStart + limits.depthMax
        duplicates = DuplicateKeys(
            bytes: scratch.bytes(count: count), tape: scratch.tape, table: scratch.keyTable,
            unescaped: scratch.key, seed: scratch.seed)
    }

    /// The number of entries.
    func scan() throws(JSONFailure) -> Int {
        duplicates.table.forgetAll()
        var place = unsafe Place(tape: tapeStart, frame: frameStart)
        unsafe frameStart.pointee = ScanFrame()
        var position = text.afterBlanks(0)
        if position >= count { throw JSONFailure(.empty, 0) }
        let first = text.byte(position)
        if first | 0x20 == UInt8(ascii: "{") {
            position = try container(position, &place)
        } else if first == UInt8(ascii: "\"") {
            position = try string(position, &place)
        } else {
            position = try bare(position, first, &place)
        }
        position = text.afterBlanks(position)
        if position != count { throw JSONFailure(.trailingBytes, position) }
        return unsafe entryCount(place.tape)
    }

    /// The document's outermost array or object.
    ///
    /// Each turn of the loop reads one value, with its key if it is a member, and what closes
    /// behind it. What is rare is asked for last.
    @inline(always)
    private func container(_ start: Int, _ place: inout Place) throws(JSONFailure) -> Int {
        var position = start
        open(position, text.byte(position), &place)
        position = text.afterBlanks(position &+ 1)
        if unsafe text.byte(position) == place.frame.pointee.closer {
            try close(position &+ 1, &place)
            return position &+ 1
        }
        value: while true {
            if unsafe place.tape >= tapeEnd { throw JSONFailure(.tooManyFields, position) }
            if unsafe place.frame.pointee.closer == UInt8(ascii: "}") {
                position = try member(position, &place)
            }
            var first = text.byte(position)
            if first <= 0x20 {
                position = text.afterBlank(position)
                first = text.byte(position)
            }
            if first == UInt8(ascii: "\"") {
                position = try string(position, &place)
            } else if first | 0x20 == UInt8(ascii: "{") {
                if unsafe place.frame == frameEnd { throw JSONFailure(.tooDeep, position) }
                open(position, first, &place)
                position = text.afterBlanks(position &+ 1)
                // An empty one closes below.
                if text.byte(position) != first &+ 2 { continue value }
            } else {
                position = try bare(position, first, &place)
            }
            if text.byte(position) == UInt8(ascii: ",") {
                unsafe place.frame.pointee.count &+= 1
                position &+= 1
                continue value
            }
            while true {
                var found = text.byte(position)
                if found <= 0x20 {
                    position = text.afterBlank(position)
                    found = text.byte(position)
                }
                position &+= 1
                if found == UInt8(ascii: ",") {
                    unsafe place.frame.pointee.count &+= 1
                    continue value
                }
                if unsafe found != place.frame.pointee.closer {
                    throw JSONFailure(.expectedCommaOrEnd, position &- 1)
                }
                try close(position, &place)
                if unsafe place.frame == frameStart { return position }
            }
        }
    }

    /// A number, `true`, `false` or `null`.
    @inline(always)
    private func bare(
        _ start: Int, _ first: UInt8, _ place: inout Place
    ) throws(JSONFailure) -> Int {
        first &- UInt8(ascii: "0") <= 9 || first == UInt8(ascii: "-")
            ? try number(start, first, &place) : try literal(start, first, &place)
    }

    // MARK: - Containers

    @inline(always)
    private func add(_ entry: JSONEntry, _ place: inout Place) {
        unsafe place.tape.pointee = entry
        unsafe place.tape += 1
    }

    @inline(always)
    private func entryCount(_ tape: UnsafeMutablePointer<JSONEntry>) -> Int {
        Int(
            bitPattern: unsafe (UInt(bitPattern: tape) &- UInt(bitPattern: tapeStart))
                / UInt(MemoryLayout<JSONEntry>.stride))
    }

    @inline(always)
    private func open(_ position: Int, _ first: UInt8, _ place: inout Place) {
        unsafe place.frame += 1
        unsafe place.frame.pointee = ScanFrame(
            entry: entryCount(place.tape), start: position, closer: first &+ 2)
        unsafe place.tape += 1
    }

    @inline(always)
    private func close(_ end: Int, _ place: inout Place) throws(JSONFailure) {
        let frame = unsafe place.frame
        let next = unsafe entryCount(place.tape)
        let entry = unsafe frame.pointee.entry
        // Commas are counted; an empty container has no entries.
        let count = unsafe next == entry &+ 1 ? 0 : frame.pointee.count
        let start = unsafe frame.pointee.start
        unsafe tapeStart[entry] = JSONEntry(
            offset: start, length: end &- start, link: UInt32(truncatingIfNeeded: next),
            kind: frame.pointee.closer == UInt8(ascii: "}") ? .object : .array, count: count)
        let fields = unsafe frame.pointee.fields &+ count
        unsafe place.frame -= 1
        let all = unsafe place.frame.pointee.fields &+ fields
        unsafe place.frame.pointee.fields = all
        if all > limits.fieldsMax { throw JSONFailure(.tooManyFields, end) }
    }

    /// A key and its colon; the place behind them.
    @inline(always)
    private func member(_ start: Int, _ place: inout Place) throws(JSONFailure) -> Int {
        var start = start
        if text.byte(start) != UInt8(ascii: "\"") {
            start = text.afterBlanks(start)
            if text.byte(start) != UInt8(ascii: "\"") { throw JSONFailure(.expectedKey, start) }
        }
        start &+= 1
        var end = text.nearStop(start)
        if text.byte(end) == UInt8(ascii: "\"") {
            let length = end &- start
            try addKey(
                JSONEntry(
                    offset: start, length: length, link: text.hash(start, length, duplicates.seed),
                    kind: .string, flags: JSONEntry.key), &place)
        } else {
            end = try longKey(start, place)
            unsafe place.tape += 1
        }
        if text.byte(end &+ 1) == UInt8(ascii: ":") { return end &+ 2 }
        let colon = text.afterBlanks(end &+ 1)
        if text.byte(colon) != UInt8(ascii: ":") { throw JSONFailure(.expectedColon, colon) }
        return colon &+ 1
    }

    /// Refuses a key that its object has already. A hash whose bit is new needs no look.
    @inline(always)
    private func addKey(_ key: JSONEntry, _ place: inout Place) throws(JSONFailure) {
        unsafe place.tape.pointee = key
        let bit: UInt64 = 1 &<< UInt64(key.hash & 63)
        let bits = unsafe place.frame.pointee.keyBits
        unsafe place.frame.pointee.keyBits = bits | bit
        if bits & bit != 0,
            unsafe DuplicateKeys.isRepeated(duplicates, place.frame, entryCount(place.tape))
        {
            throw JSONFailure(.duplicateKey, key.offset &- 1)
        }
        unsafe place.tape += 1
    }

    @inline(never)
    private func longKey(_ start: Int, _ place: Place) throws(JSONFailure) -> Int {
        let found = try text.stringEnd(start)
        let end = found & (1 &<< ScanText.flagsShift &- 1)
        let flags = UInt32(truncatingIfNeeded: found &>> ScanText.flagsShift)
        let length = end &- start
        if length > limits.keyBytesMax { throw JSONFailure(.keyTooLong, start &- 1) }
        let hash =
            flags & JSONEntry.escaped == 0
            ? text.hash(start, length, duplicates.seed)
            : DuplicateKeys.hashOfEscaped(duplicates, start, length)
        var place = place
        try addKey(
            JSONEntry(
                offset: start, length: length, link: hash, kind: .string,
                flags: flags | JSONEntry.key), &place)
        return end
    }

    // MARK: - Scalars

    @inline(always)
    private func string(_ start: Int, _ place: inout Place) throws(JSONFailure) -> Int {
        let start = start &+ 1
        var end = text.stop(start)
        var flags: UInt32 = 0
        if text.byte(end) != UInt8(ascii: "\"") {
            let found = try text.stringEnd(start)
            end = found & (1 &<< ScanText.flagsShift &- 1)
            flags = UInt32(truncatingIfNeeded: found &>> ScanText.flagsShift)
        }
        add(JSONEntry(offset: start, length: end &- start, kind: .string, flags: flags), &place)
        return end &+ 1
    }

    @inline(always)
    private func number(
        _ start: Int, _ first: UInt8, _ place: inout Place
    ) throws(JSONFailure) -> Int {
        var flags: UInt32 = 0
        let end = try text.numberEnd(start, first, &flags)
        // With sign, point and exponent's letter and sign; counted digit by digit only near the
        // limit.
        if end &- start > limits.numberDigitsMax
            && duplicates.bytes.digitCount(start, end) > limits.numberDigitsMax
        {
            throw JSONFailure(.numberTooLong, start)
        }
        add(JSONEntry(offset: start, length: end &- start, kind: .number, flags: flags), &place)
        return end
    }

    @inline(always)
    private func literal(
        _ start: Int, _ first: UInt8, _ place: inout Place
    ) throws(JSONFailure) -> Int {
        var kind = JSONKind.true
        var length = 4
        switch text.word(start) {
        case 0x6C6C_756E: kind = .null
        case 0x6575_7274: break
        case 0x736C_6166 where text.byte(start &+ 4) == UInt8(ascii: "e"):
            kind = .false
            length = 5
        default: throw Self.notLiteral(start, first)
        }
        add(JSONEntry(offset: start, length: length, kind: kind), &place)
        return start &+ length
    }

    @inline(never)
    private static func notLiteral(_ start: Int, _ first: UInt8) -> JSONFailure {
        switch first {
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            return JSONFailure(.badLiteral, start)
        case 0...0x1F, 0x7F...: return JSONFailure(.unexpectedByte, start)
        default: return JSONFailure(.expectedValue, start)
        }
    }
}
