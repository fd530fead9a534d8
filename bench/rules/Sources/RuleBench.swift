import MartletRules

/// Finds the rule for a message among 1,000 and lets it validate and answer.
struct RuleBench {
    private let set: RuleSet
    private let subject = Array("orders.new".utf8)

    init(_ schema: [UInt8]) throws {
        var definition = RuleSetDefinition()
        definition.schemas = [.init(name: "order", path: "order.json", text: schema)]
        definition.rules = (0..<1_000).map {
            RuleDefinition(name: "other\($0)", subject: "other.\($0)")
        }
        var rule = RuleDefinition(name: "orders", subject: "orders.new")
        rule.validation = .schema("order")
        rule.reply = ["/customer/tier", "/total", "/items/0/sku"].map {
            .init(name: $0, value: $0)
        }
        definition.rules.append(rule)
        set = try RuleSet(definition)
    }

    func run(_ document: [UInt8], _ times: Int) {
        var scratch = RuleScratch(limits: set.limits)
        let output = RuleOutput(limits: set.limits)
        let origin = RuleOrigin(clientID: 1, unixNanoseconds: 0, random: 0)
        subject.withUnsafeBufferPointer { subject in
            document.withUnsafeBufferPointer { document in
                let message = RuleMessage(
                    subject: subject.baseAddress!, subjectCount: subject.count,
                    header: subject.baseAddress!, headerCount: 0)
                for _ in 0..<times {
                    let first = set.firstRule(
                        subject: subject.baseAddress!, count: subject.count, account: nil)
                    let verdict = set.evaluate(
                        from: first, message, payload: document.baseAddress!,
                        payloadCount: document.count, origin: origin, in: &scratch, into: output)
                    guard verdict == RuleVerdict(.reply, rule: 1_000) else {
                        fatalError("\(verdict)")
                    }
                }
            }
        }
    }
}
