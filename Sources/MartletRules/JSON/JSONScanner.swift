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

    /// SAFETY: a place in the bytes that are scanned, which have zeros behind them.
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
        while true {
            if unsafe place.tape >= tapeEnd { throw JSONFailure(.tooManyFields, position) }
            var isRead = false
            if unsafe place.frame.pointee.closer == UInt8(ascii: "}") {
                position = try members(position, &place, &isRead)
            }
            if !isRead {
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
                    if text.byte(position) != first &+ 2 { continue }
                } else {
                    position = try bare(position, first, &place)
                }
            }
            if text.byte(position) == UInt8(ascii: ",") {
                position &+= 1
                continue
            }
            position = try closed(position, &place)
            if unsafe place.frame == frameStart { return position }
        }
    }

    /// Behind a comma and all that closes before it.
    @inline(always)
    private func closed(_ start: Int, _ place: inout Place) throws(JSONFailure) -> Int {
        var position = start
        while true {
            var found = text.byte(position)
            if found <= 0x20 {
                position = text.afterBlank(position)
                found = text.byte(position)
            }
            position &+= 1
            if found == UInt8(ascii: ",") { return position }
            if unsafe found != place.frame.pointee.closer {
                throw JSONFailure(.expectedCommaOrEnd, position &- 1)
            }
            try close(position, &place)
            if unsafe place.frame == frameStart { return position }
        }
    }

    /// Members one after another, as long as their values are plain strings with a comma behind:
    /// most are. Then the place of a value that is not, or the one behind a value that `isRead`.
    @inline(always)
    private func members(
        _ start: Int, _ place: inout Place, _ isRead: inout Bool
    ) throws(JSONFailure) -> Int {
        var position = start
        while true {
            if text.byte(position) != UInt8(ascii: "\"") {
                position = text.afterBlanks(position)
                if text.byte(position) != UInt8(ascii: "\"") {
                    throw JSONFailure(.expectedKey, position)
                }
            }
            let keyEnd = try key(position &+ 1, &place)
            position = keyEnd &+ 2
            if text.pair(keyEnd &+ 1) != ScanText.colonAndQuote {
                if text.byte(keyEnd &+ 1) != UInt8(ascii: ":") {
                    position = try colonEnd(keyEnd &+ 1)
                }
                if text.byte(position) == UInt8(ascii: " ") { position &+= 1 }
                if text.byte(position) != UInt8(ascii: "\"") { return position }
            }
            let value = position &+ 1
            let end = text.stop(value)
            if text.pair(end) != ScanText.quoteAndComma {
                isRead = true
                return try stringBefore(end, value, &place)
            }
            add(JSONEntry(offset: value, length: end &- value, kind: .string), &place)
            position = end &+ 2
            if unsafe place.tape >= tapeEnd { throw JSONFailure(.tooManyFields, position) }
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
        let held = next &- entry &- 1
        let isObject = unsafe frame.pointee.closer == UInt8(ascii: "}")
        let count = unsafe (held &- frame.pointee.nested) &>> (isObject ? 1 : 0)
        let start = unsafe frame.pointee.start
        unsafe tapeStart[entry] = JSONEntry(
            offset: start, length: end &- start, link: UInt32(truncatingIfNeeded: next),
            kind: isObject ? .object : .array, count: count)
        let fields = unsafe frame.pointee.fields &+ count
        unsafe place.frame -= 1
        unsafe place.frame.pointee.nested &+= held
        let all = unsafe place.frame.pointee.fields &+ fields
        unsafe place.frame.pointee.fields = all
        if all > limits.fieldsMax { throw JSONFailure(.tooManyFields, end) }
    }

    /// A key, from behind its quote; the place of the other one.
    @inline(always)
    private func key(_ start: Int, _ place: inout Place) throws(JSONFailure) -> Int {
        let end = text.nearStop(start)
        if text.byte(end) != UInt8(ascii: "\"") {
            let end = try longKey(start, place)
            unsafe place.tape += 1
            return end
        }
        let length = end &- start
        try addKey(
            JSONEntry(
                offset: start, length: length, link: text.hash(start, length, duplicates.seed),
                kind: .string, flags: JSONEntry.key), &place)
        return end
    }

    /// Behind a colon that white space is before.
    @inline(never)
    private func colonEnd(_ start: Int) throws(JSONFailure) -> Int {
        let colon = text.afterBlanks(start)
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
        if bits & bit != 0, needsComparison(key.hash, place), isRepeated(place) {
            throw JSONFailure(.duplicateKey, key.offset &- 1)
        }
        unsafe place.tape += 1
    }

    /// Whether a key before it in its object has the same hash, or the object is for the table. Of
    /// eight keys one or two are asked for by chance alone, so that this is a loop and no more.
    @inline(never)
    private func needsComparison(_ hash: UInt32, _ place: Place) -> Bool {
        let object = unsafe tapeStart + place.frame.pointee.entry
        let held = unsafe entryCount(place.tape) &- place.frame.pointee.entry
        if unsafe held &- place.frame.pointee.nested > 2 &* DuplicateKeys.tableFromCount {
            return true
        }
        var other = unsafe object + 1
        while unsafe other < place.tape {
            if unsafe other.pointee.hash == hash { return true }
            let value = unsafe other[1]
            unsafe other = value.isContainer ? tapeStart + value.next : other + 2
        }
        return false
    }

    /// A call that passes the scanner's own place: else its part would be copied for each scan.
    @inline(never)
    private func isRepeated(_ place: Place) -> Bool {
        unsafe duplicates.isRepeated(place.frame, entryCount(place.tape))
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
            : duplicates.hashOfEscaped(start, length)
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
        return try stringBefore(text.stop(start), start, &place)
    }

    /// The same whose first byte that is not plain is at `end`.
    @inline(always)
    private func stringBefore(
        _ end: Int, _ start: Int, _ place: inout Place
    ) throws(JSONFailure) -> Int {
        if text.byte(end) == UInt8(ascii: "\"") {
            add(JSONEntry(offset: start, length: end &- start, kind: .string), &place)
            return end &+ 1
        }
        let found = try text.stringEnd(end)
        let end = found & (1 &<< ScanText.flagsShift &- 1)
        let flags = UInt32(truncatingIfNeeded: found &>> ScanText.flagsShift)
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
            flags = JSONEntry.tooLong
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
