import MartletBroker
import MartletRules

extension MonitorEndpoint {
    static let rulesz = MonitorEndpoint(
        path: "/rulesz", systemName: "RULESZ",
        answer: .document { monitor, _ in Rulesz(monitor.broker) })
}

/// `/rulesz` and `RULESZ`: what each rule has counted since it was read.
struct Rulesz: Encodable {
    let serverID: String
    let now: UInt64
    /// nil without a `rules` block.
    let rules: RulesSnapshot?

    init(_ broker: Broker) {
        let snapshot = broker.snapshot()
        serverID = snapshot.serverID
        now = snapshot.now
        rules = broker.rulesSnapshot()
    }

    enum Key: String, CodingKey {
        case serverID = "server_id"
        case now, workers, rules
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(serverID, forKey: .serverID)
        try values.encode(GoText.time(nanosecondsSince1970: now), forKey: .now)
        try values.encode(rules?.workerCount ?? 0, forKey: .workers)
        try values.encode((rules?.rules ?? []).map(RuleDetail.init), forKey: .rules)
    }
}

/// One rule in `/rulesz`.
private struct RuleDetail: Encodable {
    let rule: RulesSnapshot.Rule

    init(_ rule: RulesSnapshot.Rule) {
        self.rule = rule
    }

    enum Key: String, CodingKey {
        case name, account, subject, mode, matched, bytes, results, shadow, times
        case invalidByCode = "invalid_by_code"
        case deadLettered = "dead_lettered"
        case deadLettersDropped = "dead_letter_dropped"
        case deadLettersLost = "dead_letter_lost"
        case failures = "last_failures"
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(rule.name, forKey: .name)
        try values.encodeIfPresent(rule.account, forKey: .account)
        try values.encode(rule.subject, forKey: .subject)
        try values.encode(rule.mode.rawValue, forKey: .mode)
        try values.encode(rule.matched, forKey: .matched)
        try values.encode(rule.bytes, forKey: .bytes)
        try values.encode(Self.named(rule.results), forKey: .results)
        if rule.mode == .shadow {
            try values.encode(Self.named(rule.shadowResults), forKey: .shadow)
        }
        let codes = rule.invalidByCode.map { (String($0), $1) }
        try values.encode(
            Dictionary(uniqueKeysWithValues: codes), forKey: .invalidByCode)
        try values.encode(rule.deadLetters, forKey: .deadLettered)
        try values.encode(rule.deadLettersDropped, forKey: .deadLettersDropped)
        try values.encode(rule.deadLettersLost, forKey: .deadLettersLost)
        try values.encode(RuleTimes(rule), forKey: .times)
        try values.encode(rule.failures.map(RuleFailureDetail.init), forKey: .failures)
    }

    private static func named(_ results: [RuleResult: Int]) -> [String: Int] {
        Dictionary(uniqueKeysWithValues: results.map { ($0.label, $1) })
    }
}

/// How long evaluations took, in nanoseconds; percentiles to the power of two above them.
private struct RuleTimes: Encodable {
    let count: Int
    let average: Int
    let p50: UInt64
    let p99: UInt64
    let max: UInt64

    enum CodingKeys: String, CodingKey {
        case count
        case average = "average_ns"
        case p50 = "p50_ns"
        case p99 = "p99_ns"
        case max = "max_ns"
    }

    init(_ rule: RulesSnapshot.Rule) {
        count = rule.evaluations
        average = rule.nanosecondsTotal / Swift.max(1, rule.evaluations)
        max = rule.nanosecondsMax
        p50 = Self.bound(of: rule, hundredths: 50)
        p99 = Self.bound(of: rule, hundredths: 99)
    }

    private static func bound(of rule: RulesSnapshot.Rule, hundredths: Int) -> UInt64 {
        var seen = 0
        for (bucket, count) in rule.times.enumerated() {
            seen += count
            guard seen * 100 >= rule.evaluations * hundredths, seen > 0 else { continue }
            let bounds = RulesSnapshot.timeBounds
            return bucket < bounds.count
                ? Swift.min(bounds[bucket], rule.nanosecondsMax)
                : rule.nanosecondsMax
        }
        return 0
    }
}

private struct RuleFailureDetail: Encodable {
    let time: String
    let clientID: UInt64
    let subject: String
    let code: Int
    let path: String
    let offset: Int?
    let message: String

    enum CodingKeys: String, CodingKey {
        case time
        case clientID = "cid"
        case subject, code, path, offset, message
    }

    init(_ failure: RulesSnapshot.Failure) {
        time = GoText.time(nanosecondsSince1970: UInt64(max(0, failure.unixNanoseconds)))
        clientID = failure.clientID
        subject = failure.subject
        code = failure.code
        path = failure.path
        offset = failure.offset < 0 ? nil : failure.offset
        message = failure.message
    }
}
