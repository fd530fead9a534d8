internal import CMartletSystem

/// Memory that scans and evaluations work in: made once, by a thread for itself, for documents
/// within its limits. The document of the last scan is in it.
///
/// SAFETY: it owns its blocks and frees them once; documents do not outlive it by its contract.
@safe
public struct RuleScratch: ~Copyable, @unchecked Sendable {
    /// What its memory is made for.
    public let limits: JSONLimits
    let seed: KeySeed
    let tape: Cells<JSONEntry>
    let frames: Cells<ScanFrame>
    /// The document, with zeros behind it: so nothing that reads it checks for its end, and what
    /// runs later does not depend on the buffer that it came in. The copy is a twentieth of a scan.
    let text: Cells<UInt8>
    /// A key without its escapes.
    let key: Cells<UInt8>
    let keyTable: EntryTable
    let comparison: ValueComparison
    let marks: EvaluationMarks
    let memory: EvaluationMemory
    let scopes: EvaluationScopes
    let patterns: PatternSets
    /// Steps that were taken, and how many may be.
    private let steps: Cells<Int>
    /// The values of a rule's pointers.
    let slots: Cells<JSONSlot>

    /// A rule has at most this many pointers.
    static let slotsMax = 512

    /// Takes all the memory that evaluations with these limits need.
    public init(limits: JSONLimits = JSONLimits()) {
        let limits = limits.clamped
        self.limits = limits
        seed = KeySeed.process
        // A member is two entries; a value that is alone is one.
        let entries = 2 * limits.fieldsMax + 2
        tape = Cells(count: entries, repeating: JSONEntry(offset: 0, length: 0, kind: .null))
        frames = Cells(count: limits.depthMax + 1, repeating: ScanFrame())
        text = Cells(
            count: limits.payloadBytesMax + ScanText.slack, repeating: 0)
        key = Cells(count: limits.keyBytesMax + 24, repeating: 0)
        keyTable = EntryTable(entries: limits.fieldsMax, tapeCount: entries)
        comparison = ValueComparison(
            stack: ValueStack(depth: limits.depthMax),
            keys: EntryTable(entries: limits.fieldsMax, tapeCount: entries), seed: seed)
        marks = EvaluationMarks(entries: entries)
        memory = EvaluationMemory(entries: entries)
        scopes = EvaluationScopes()
        patterns = PatternSets()
        steps = Cells([0, .max])
        slots = Cells(count: Self.slotsMax, repeating: .missing)
    }

    deinit {
        tape.free()
        frames.free()
        text.free()
        key.free()
        keyTable.free()
        comparison.free()
        marks.free()
        memory.free()
        scopes.free()
        patterns.free()
        steps.free()
        slots.free()
    }

    /// Checks that bytes are one JSON document by RFC 8259, with no duplicate keys, no lone
    /// surrogates and within the limits. Reads `count` bytes, and copies them.
    @unsafe public mutating func scan(
        _ bytes: UnsafePointer<UInt8>, count: Int
    ) -> JSONOutcome {
        precondition(count >= 0)
        guard count <= limits.payloadBytesMax else {
            return .failure(JSONFailure(.payloadTooLarge, limits.payloadBytesMax))
        }
        comparison.keys.forgetAll()
        spend(count &>> 4)
        let copy = unsafe text.start
        unsafe martlet_json_copy(copy, bytes, count)
        unsafe (copy + count).update(repeating: 0, count: ScanText.slack)
        do {
            let entryCount = try JSONScanner(count: count, in: self).scan()
            return .document(
                JSONDocument(bytes: self.bytes(count: count), tape: tape, entryCount: entryCount))
        } catch {
            return .failure(error.within(count))
        }
    }

    /// Steps of about ten instructions that scans and evaluations took since this was last zero: what
    /// an evaluation cost, for who shares time out.
    public var stepsSpent: Int { steps[0] }

    /// What a scan or an evaluation may still take.
    var stepsLeft: Int { max(steps[1] &- steps[0], 0) }

    /// Whether all is taken: what was found since is not known to be so.
    var isOutOfSteps: Bool { steps[0] >= steps[1] }

    func spend(_ taken: Int) { steps[0] &+= taken }

    func restartSteps(atMost most: Int) {
        steps[0] = 0
        steps[1] = most
    }

    func bytes(count: Int) -> Bytes {
        unsafe Bytes(UnsafePointer(text.start), count: count)
    }
}

/// What a scan found.
public enum JSONOutcome {
    /// A whole document, good until the next scan.
    case document(JSONDocument)
    /// What is wrong, and where.
    case failure(JSONFailure)
}

/// A container that the scan is inside of.
struct ScanFrame: BitwiseCopyable {
    /// Its entry on the tape.
    var entry = 0
    /// Where it begins.
    var start = 0
    /// Entries that containers which closed in it hold: what follows it on the tape less these is
    /// its own keys and values, so that no comma is counted.
    var nested = 0
    /// Members and elements of what closed in it.
    var fields = 0
    /// A bit for each hash of a key so far.
    var keyBits: UInt64 = 0
    var lastKeyInTable = 0
    /// The byte that ends it.
    var closer: UInt8 = 0
}
