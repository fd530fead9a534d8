import MartletRules

/// Where the values are that a handler asks for: all pointers in one tree, so that one scan of a payload
/// finds them all. Each connection has its own, and its thread uses it for one request at a time.
///
/// SAFETY: `slots` has a slot for each pointer of the tree. They are written by a scan and read only when
/// there was one of the payload at hand: `forget()` ends that.
@safe
final class HandlerFields {
    private let names: [String]
    /// The slot of each name: two names may mean the same pointer.
    private let slotIndices: [Int]
    private let tree: PointerTree
    private let slots: UnsafeMutablePointer<JSONSlot>
    private let limits: JSONLimits
    /// Made for the first scan: it takes some hundred kilobytes.
    private var memory: Memory?
    private var outcome: JSONOutcome?

    init(_ names: [String], limits: JSONLimits) throws(RuleError) {
        var pointers: [JSONPointer] = []
        for name in names { pointers.append(try JSONPointer(name)) }
        let tree = try PointerTree(pointers)
        self.names = names
        self.tree = tree
        slotIndices = pointers.map { tree.slotIndex(of: $0) ?? 0 }
        unsafe slots = .allocate(capacity: max(1, tree.pointers.count))
        self.limits = limits
    }

    private final class Memory {
        var scratch: RuleScratch

        init(_ limits: JSONLimits) {
            scratch = RuleScratch(limits: limits)
        }
    }

    deinit {
        unsafe slots.deallocate()
    }

    /// The payload is another one now.
    func forget() { outcome = nil }

    /// Scans the payload, unless that was done. Throws `ServiceError` 400 for what is no JSON and 413 for
    /// what is over a limit.
    func scan(_ payload: UnsafeRawBufferPointer) throws(ServiceError) -> JSONDocument {
        let found = unsafe outcome ?? scanOnce(payload)
        switch found {
        case .document(let document): return document
        case .failure(let failure):
            throw ServiceError(
                code: failure.code, description: "JSON: \(failure.reason.name) at \(failure.offset)"
            )
        }
    }

    private func scanOnce(_ payload: UnsafeRawBufferPointer) -> JSONOutcome {
        let memory = memory ?? Memory(limits)
        self.memory = memory
        var nothing: UInt8 = 0
        let found: JSONOutcome
        if let start = payload.baseAddress, unsafe !payload.isEmpty {
            found = unsafe memory.scratch.scan(
                start.assumingMemoryBound(to: UInt8.self), count: payload.count)
        } else {
            found = unsafe memory.scratch.scan(&nothing, count: 0)
        }
        if case .document(let document) = found { unsafe tree.find(in: document, into: slots) }
        outcome = found
        return found
    }

    /// Nil for a name that was not given when the handler was added. Only after a scan.
    func slot(_ name: String) -> JSONSlot? {
        assert(outcome != nil, "nothing was scanned")
        for i in names.indices where names[i] == name { return unsafe slots[slotIndices[i]] }
        return nil
    }

    func check(_ schema: JSONSchema, _ payload: UnsafeRawBufferPointer) throws(ServiceError) {
        let document = unsafe try scan(payload)
        guard let memory else { return }
        switch schema.validate(document, in: memory.scratch) {
        case .valid: return
        case .tooComplex:
            throw ServiceError(code: 413, description: "JSON: too_complex")
        case .numberTooLong(let offset):
            let reason = JSONFailureReason.numberTooLong.name
            throw ServiceError(code: 413, description: "JSON: \(reason) at \(offset)")
        case .violation(let violation):
            throw ServiceError(
                code: 422, description: Self.message(of: violation, schema, document),
                body: Self.report(of: violation, schema, document))
        }
    }

    private static func message(
        of violation: SchemaViolation, _ schema: JSONSchema, _ document: JSONDocument
    ) -> String {
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 512) { buffer in
            let count = unsafe schema.writeMessage(
                of: violation, in: document, into: buffer.baseAddress!, capacity: buffer.count)
            guard let count else { return "the document does not match the schema" }
            return unsafe String(decoding: buffer[..<count], as: UTF8.self)
        }
    }

    /// A JSON object: code, path, keyword and offset of the violation. Empty if it would be too long.
    private static func report(
        of violation: SchemaViolation, _ schema: JSONSchema, _ document: JSONDocument
    ) -> [UInt8] {
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 1_024) { buffer in
            let start = buffer.baseAddress!
            let count = unsafe schema.writeReport(
                of: violation, in: document, into: start + 1, capacity: buffer.count - 2)
            guard let count else { return [] }
            unsafe start.initialize(to: UInt8(ascii: "{"))
            unsafe (start + 1 + count).initialize(to: UInt8(ascii: "}"))
            return unsafe Array(buffer[..<(count + 2)])
        }
    }
}
