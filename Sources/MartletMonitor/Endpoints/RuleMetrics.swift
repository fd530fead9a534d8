import MartletBroker
import MartletRules

/// The part of `/metrics` about rules.
enum RuleMetrics {
    static func text(_ snapshot: RulesSnapshot?) -> String {
        guard let snapshot else { return "" }
        var text = """
            # HELP nats_rule_messages_total Messages by rule, mode and what became of them.
            # TYPE nats_rule_messages_total counter

            """
        for rule in snapshot.rules {
            let results = rule.mode == .shadow ? rule.shadowResults : rule.results
            for result in RuleResult.allCases {
                text += "nats_rule_messages_total{\(labels(rule)),result=\"\(result.label)\"} "
                text += "\(results[result] ?? 0)\n"
            }
        }
        text += """
            # HELP nats_rule_invalid_total Messages that were not valid, by status.
            # TYPE nats_rule_invalid_total counter

            """
        for rule in snapshot.rules {
            for (code, count) in rule.invalidByCode.sorted(by: { $0.key < $1.key }) {
                text += "nats_rule_invalid_total{\(labels(rule)),code=\"\(code)\"} \(count)\n"
            }
        }
        text += counters(
            "nats_rule_bytes_total", "Payload bytes of messages that a rule was for.", snapshot
        ) { $0.bytes }
        text += counters(
            "nats_rule_dead_letters_total", "Dead letters that somebody received.", snapshot
        ) { $0.deadLetters }
        text += counters(
            "nats_rule_dead_letters_dropped_total", "Dead letters that nobody had subscribed to.",
            snapshot
        ) { $0.deadLettersDropped }
        text += counters(
            "nats_rule_dead_letters_lost_total",
            "Dead letters whose subject or header block could not be made.", snapshot
        ) { $0.deadLettersLost }
        return text + histogram(snapshot)
    }

    private static func labels(_ rule: RulesSnapshot.Rule) -> String {
        // Names are letters, digits and a few signs: nothing has to be escaped.
        "rule=\"\(rule.name)\",mode=\"\(rule.mode.rawValue)\""
    }

    private static func counters(
        _ name: String, _ help: String, _ snapshot: RulesSnapshot,
        _ value: (RulesSnapshot.Rule) -> Int
    ) -> String {
        let lines = snapshot.rules.map { "\(name){\(labels($0))} \(value($0))\n" }
        return "# HELP \(name) \(help)\n# TYPE \(name) counter\n" + lines.joined()
    }

    /// Evaluations that began with a rule.
    private static func histogram(_ snapshot: RulesSnapshot) -> String {
        let name = "nats_rule_seconds"
        var text = "# HELP \(name) Time of an evaluation.\n# TYPE \(name) histogram\n"
        for rule in snapshot.rules {
            var seen = 0
            for (bucket, bound) in RulesSnapshot.timeBounds.enumerated() {
                seen += rule.times[bucket]
                let seconds = Double(bound) / 1e9
                text += "\(name)_bucket{\(labels(rule)),le=\"\(seconds)\"} \(seen)\n"
            }
            text += "\(name)_bucket{\(labels(rule)),le=\"+Inf\"} \(rule.evaluations)\n"
            text += "\(name)_sum{\(labels(rule))} \(Double(rule.nanosecondsTotal) / 1e9)\n"
            text += "\(name)_count{\(labels(rule))} \(rule.evaluations)\n"
        }
        return text
    }
}
