import MartletRules

/// What became of a message, copied.
struct Outcome: Equatable {
    var verdict: RuleVerdict
    var subject: String?
    var header: String?
    var body: String
    var message: String
    var payload: String
    var steps: [RuleStep]
    var failureOffset: Int

    var results: [RuleResult] { steps.map(\.result) }
}

/// A compiled set with scratch and output of its own.
final class RuleSetUnderTest {
    let set: RuleSet
    private var scratch: RuleScratch
    private let output: RuleOutput
    static let origin = RuleOrigin(
        clientID: 42, unixNanoseconds: 1_795_381_495_120_456_789, random: 0)

    init(_ definition: RuleSetDefinition) throws {
        set = try RuleSet(definition)
        scratch = RuleScratch(limits: set.limits)
        output = RuleOutput(limits: set.limits)
    }

    /// A set of rules and, by name, schemas.
    convenience init(
        _ rules: [RuleDefinition], schemas: [String: String] = [:], limits: JSONLimits? = nil
    ) throws {
        var definition = RuleSetDefinition()
        definition.rules = rules
        definition.schemas = schemas.sorted { $0.key < $1.key }.map {
            .init(name: $0.key, path: "\($0.key).json", text: Array($0.value.utf8))
        }
        if let limits { definition.limits = limits }
        try self.init(definition)
    }

    var stepsSpent: Int { scratch.stepsSpent }

    func firstRule(_ subject: String, account: String? = nil) -> Int {
        exact(subject) { set.firstRule(subject: $0, count: $1, account: account) }
    }

    func send(
        _ subject: String, _ payload: String = "", header: String = "", account: String? = nil,
        random: UInt64 = 0
    ) -> Outcome {
        send(
            subject, Array(payload.utf8), header: Array(header.utf8), account: account,
            random: random)
    }

    /// The same for any bytes; everything stands in blocks of its exact size.
    func send(
        _ subject: String, _ payload: [UInt8], header: [UInt8], account: String? = nil,
        random: UInt64 = 0
    ) -> Outcome {
        guard
            let outcome = send(
                subject, payload, header: header, account: account, random: random, within: .max)
        else { preconditionFailure("there is no limit") }
        return outcome
    }

    /// The same within a number of steps; nil if they were not enough.
    func send(
        _ subject: String, _ payload: [UInt8], header: [UInt8], account: String? = nil,
        random: UInt64 = 0, within stepsMax: Int
    ) -> Outcome? {
        var origin = Self.origin
        origin.random = random
        let found = exact(Array(subject.utf8)) { subject, subjectCount in
            exact(header) { header, headerCount in
                exact(payload) { payload, payloadCount in
                    set.evaluate(
                        from: set.firstRule(
                            subject: subject, count: subjectCount, account: account),
                        RuleMessage(
                            subject: subject, subjectCount: subjectCount, header: header,
                            headerCount: headerCount),
                        payload: payload, payloadCount: payloadCount, origin: origin,
                        stepsMax: stepsMax, in: &scratch, into: output)
                }
            }
        }
        guard let verdict = found else { return nil }
        return Outcome(
            verdict: verdict, subject: text(output.subject, output.subjectCount),
            header: text(output.header, output.headerCount),
            body: text(output.body, output.bodyCount) ?? "",
            message: text(output.message, output.messageCount) ?? "",
            payload: String(
                decoding: output.slice.map { payload[$0] } ?? payload[...], as: UTF8.self),
            steps: (0..<output.stepCount).map { output.steps[$0] },
            failureOffset: output.failureOffset)
    }

    private func text(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int) -> String? {
        if count == 0 { return nil }
        return String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    private func exact<Result>(
        _ bytes: [UInt8], _ use: (UnsafePointer<UInt8>, Int) -> Result
    ) -> Result {
        let block = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
        defer { block.deallocate() }
        block.update(from: bytes, count: bytes.count)
        return use(block, bytes.count)
    }

    private func exact<Result>(
        _ text: String, _ use: (UnsafePointer<UInt8>, Int) -> Result
    ) -> Result {
        exact(Array(text.utf8), use)
    }
}

/// A rule, changed as a test needs it.
func rule(
    _ name: String = "orders", _ subject: String = "orders.*",
    _ change: (inout RuleDefinition) -> Void = { _ in }
) -> RuleDefinition {
    var rule = RuleDefinition(name: name, subject: subject, position: "rules.conf:3:5")
    change(&rule)
    return rule
}

extension RuleDefinition {
    /// The pattern of `when`, as text.
    var when: String {
        get { String(decoding: condition ?? [], as: UTF8.self) }
        set { condition = Array(newValue.utf8) }
    }

    var to: String {
        get { destinations.first?.template ?? "" }
        set { destinations = [Destination(template: newValue)] }
    }

    mutating func set(_ name: String, _ value: String) {
        headers.append(Field(name: name, value: value))
    }
}
