@testable import MartletRules

/// Scratch takes a while to make, and libFuzzer has one thread.
nonisolated(unsafe) private var scratch = {
    var limits = JSONLimits()
    limits.payloadBytesMax = 8_192
    limits.fieldsMax = 256
    limits.depthMax = 16
    limits.keyBytesMax = 64
    return RuleScratch(limits: limits)
}()

/// Any bytes to the JSON scanner: what it accepts has a tape that fits, and is accepted again with
/// white space around it; what it refuses, it refuses for the same reason again.
@Sendable func fuzzScanner(_ input: [UInt8]) {
    let first = verdict(input)
    check(verdict(input) == first, "the second scan finds something else")
    let padded = verdict([0x20, 0x0A] + input + [0x09])
    check(
        (padded == nil) == (first == nil),
        "white space makes a difference: \(first ?? "valid"), \(padded ?? "valid")")
}

/// What is wrong with a document, or nil.
private func verdict(_ input: [UInt8]) -> String? {
    input.withUnsafeBufferPointer { bytes -> String? in
        guard let start = bytes.baseAddress else { return "empty" }
        switch scratch.scan(start, count: bytes.count) {
        case .failure(let failure):
            check(failure.offset <= bytes.count, "\(failure) is behind \(bytes.count)")
            return "\(failure)"
        case .document(let document):
            checkTape(document)
            return nil
        }
    }
}

private func checkTape(_ document: JSONDocument) {
    var ends: [Int] = []
    for index in 0..<document.entryCount {
        let entry = document.entry(index)
        check(entry.end <= document.bytes.count, "entry \(index) ends behind the document")
        while let end = ends.last, end <= index { ends.removeLast() }
        if entry.isContainer {
            check(
                entry.next > index && entry.next <= ends.last ?? document.entryCount,
                "entry \(index) leads astray")
            ends.append(entry.next)
        } else if entry.kind == .number {
            let number = Decimal(document.bytes, entry)
            check(number.compared(to: number) == 0, "a number is not itself")
        } else if entry.kind == .string {
            check(
                Values(bytes: document.bytes, tape: document.tape).length(entry) <= entry.length,
                "too many characters")
        }
    }
}

/// A schema, a line feed and a document: whatever the schema is, it is refused or it can be
/// evaluated, twice with the same outcome, and a violation can be put in words.
@Sendable func fuzzSchema(_ input: [UInt8]) {
    let parts = input.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
    var options = SchemaOptions()
    options.assertsFormat = input.count % 2 == 0
    guard let text = parts.first,
        let schema = try? JSONSchema(Array(text), file: "fuzz.json", options: options)
    else { return }
    // The schema is a document too.
    for document in [Array(text), parts.count > 1 ? Array(parts[1]) : []] {
        document.withUnsafeBufferPointer { bytes in
            guard let start = bytes.baseAddress,
                case .document(let document) = scratch.scan(start, count: bytes.count)
            else { return }
            let outcome = schema.validate(document, in: scratch)
            check(
                schema.validate(document, in: scratch) == outcome, "another outcome the second time"
            )
            guard case .violation(let violation) = outcome else { return }
            var buffer = [UInt8](repeating: 0, count: 300)
            buffer.withUnsafeMutableBufferPointer {
                _ = schema.writeReport(
                    of: violation, in: document, into: $0.baseAddress!, capacity: $0.count)
                _ = schema.writeMessage(
                    of: violation, in: document, into: $0.baseAddress!, capacity: $0.count)
            }
        }
    }
}

/// A pattern, a line feed and a text: both ways of matching say the same.
@Sendable func fuzzPattern(_ input: [UInt8]) {
    let parts = input.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0].count < 200 else { return }
    let text = String(decoding: parts[0], as: UTF8.self)
    guard let byTable = try? Pattern(text), let bySteps = try? Pattern(text, triesTable: false)
    else { return }
    let sets = PatternSets()
    defer {
        byTable.free()
        bySteps.free()
        sets.free()
    }
    // As a scan would have it.
    let subject = Array(String(decoding: parts[1], as: UTF8.self).utf8.filter { $0 != 0x5C })
    let flags = subject.allSatisfy { $0 < 0x80 } ? 0 : JSONEntry.nonASCII
    subject.withUnsafeBufferPointer { buffer in
        guard let start = buffer.baseAddress else { return }
        let bytes = Bytes(start, count: buffer.count)
        let entry = JSONEntry(offset: 0, length: buffer.count, kind: .string, flags: flags)
        check(
            byTable.matches(bytes, entry, sets) == bySteps.matches(bytes, entry, sets),
            "the table and the positions disagree about \(text)")
    }
}

/// A condition, a line feed and a document; and the same bytes as a template.
@Sendable func fuzzRules(_ input: [UInt8]) {
    let parts = input.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return }
    var pointers = PointerSet()
    let condition = try? Condition(json: Array(parts[0]), pointers: &pointers)
    let template = try? Template(
        String(decoding: parts[0], as: UTF8.self), for: .subject, source: "a.*.*",
        pointers: &pointers)
    guard condition != nil || template != nil, let tree = try? pointers.tree() else { return }
    var slots = [JSONSlot](repeating: .missing, count: pointers.pointers.count + 1)
    let subject = Array("a.b.c".utf8)
    Array(parts[1]).withUnsafeBufferPointer { bytes in
        guard let start = bytes.baseAddress,
            case .document(let document) = scratch.scan(start, count: bytes.count)
        else { return }
        slots.withUnsafeMutableBufferPointer { tree.find(in: document, into: $0.baseAddress!) }
        _ = condition?.holds(for: document, slots, in: scratch)
        var buffer = [UInt8](repeating: 0, count: 100)
        let outcome = subject.withUnsafeBufferPointer { subject in
            template?.render(
                RuleMessage(
                    subject: subject.baseAddress!, subjectCount: 5, header: start,
                    headerCount: bytes.count),
                document, slots, into: &buffer, capacity: buffer.count)
        }
        if case .rendered(let count) = outcome {
            check(
                buffer[..<count].allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != 0x2A && $0 != 0x3E },
                "a subject with \(buffer[..<count])")
        }
    }
}
