/// One message on its way through the rules that are for it.
///
/// SAFETY: it lives within one call of `evaluate`, whose caller keeps the payload.
@safe
struct RuleRun {
    let message: RuleMessage
    let payloadCount: Int
    let origin: RuleOrigin
    let output: RuleOutput
    private let payload: UnsafePointer<UInt8>
    private var scan: Scan = .notYet
    /// The last rule that decided something.
    var decided: Int
    /// Whether the message goes on with anything else than it came with.
    var isChanged = false

    private enum Scan {
        case notYet
        case done(JSONOutcome)
    }

    @unsafe init(
        _ message: RuleMessage, _ payload: UnsafePointer<UInt8>, payloadCount: Int,
        origin: RuleOrigin, output: RuleOutput, first: Int
    ) {
        self.message = message
        unsafe self.payload = payload
        self.payloadCount = payloadCount
        self.origin = origin
        self.output = output
        decided = first
    }

    /// The payload, scanned when a rule asks for the first time.
    mutating func document(_ scratch: inout RuleScratch) -> JSONOutcome {
        if case .done(let outcome) = scan { return outcome }
        let outcome = unsafe scratch.scan(payload, count: payloadCount)
        scan = .done(outcome)
        return outcome
    }

    /// The payload if it was scanned and is JSON.
    var document: JSONDocument? {
        if case .done(.document(let document)) = scan { return document }
        return nil
    }
}
