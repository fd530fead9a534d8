import Foundation
import MartletRules
import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite("A message that is small and takes long to evaluate", .serialized)
struct CostlyRuleTests {
    /// Small payloads are for the loop.
    private static let setups = RuleSetup.all.filter { "\($0.broker.wire)" == "tcp" }

    /// Wildcards: what a text takes is its length, times all of them.
    private static func wildcards(_ name: String, _ subject: String) -> RuleDefinition {
        RuleDefinition(name, subject) {
            let tests = (0..<40).map { #"{"wildcard": "*x\#($0)*y\#($0)*"}"# }
            $0.condition = Array(#"{"/a": [\#(tests.joined(separator: ", "))]}"#.utf8)
        }
    }

    private static func payload(_ n: Int, isCostly: Bool) -> String {
        #"{"n":\#(n),"a":"\#(String(repeating: "z", count: isCostly ? 2_000 : 5))"}"#
    }

    private static func number(_ text: String) throws -> Int {
        try #require(Int(text.dropFirst(5).prefix { $0 != "," }))
    }

    /// How many messages the loops have looked at, and how many the workers.
    private func matched(_ broker: TestBroker) throws -> (loops: Int, workers: Int) {
        let loops = broker.broker.shared.loops
        let rules = try #require(loops[0].state.pointee.ruleStage.rules?.takeUnretainedValue())
        func sum(_ counters: some Sequence<RuleCounters>) -> Int {
            counters.reduce(0) { sum, counters in
                sum
                    + (0..<rules.set.ruleCount).reduce(0) {
                        $0 + counters[$1].pointee.matched.total
                    }
            }
        }
        return (sum(rules.counters.prefix(loops.count)), sum(rules.counters.dropFirst(loops.count)))
    }

    @Test("is a worker's, if there is one, and comes out the same", arguments: setups)
    func shapes(setup: RuleSetup) throws {
        let suffixes = (0..<60).map {
            #"{"suffix": "\#($0)\#(String(repeating: "q", count: 60))"}"#
        }
        let rules = setup.rules(
            (0..<32).map { n in
                RuleDefinition("r\(n)", "suffixes") {
                    $0.condition = Array(#"{"/a": [\#(suffixes.joined(separator: ", "))]}"#.utf8)
                    $0.otherwise = .next
                }
            } + [
                Self.wildcards("wildcards", "wildcards"),
                RuleDefinition("bounds", "bounds") { $0.validation = .schema("bounds") },
            ]
        ) {
            $0.inlineBytesMax = 8_192
            let bounds = (1...90).map { #"{"minimum": \#($0)}"# }.joined(separator: ",")
            $0.definition.schemas.append(
                .init(
                    name: "bounds", path: "bounds.json",
                    text: Array(#"{"items": {"allOf": [\#(bounds)]}}"#.utf8)))
        }
        let broker = try setup.broker(rules)
        let subscriber = try broker.subscriber("SUB > 1")
        let publisher = try broker.client()
        let texts = Array(repeating: #""b\#(String(repeating: "q", count: 60))""#, count: 50)
        let payloads = [
            "suffixes": #"{"a":[\#(texts.joined(separator: ","))]}"#,
            "wildcards": Self.payload(1, isCostly: true),
            "bounds": "[\(Array(repeating: "999", count: 400).joined(separator: ","))]",
        ]
        for _ in 0..<3 {
            for (subject, payload) in payloads {
                try publisher.send(pub(subject, payload))
                let message = try subscriber.message()
                #expect(message.subject == subject && message.text == payload)
            }
            // The last number is less than the least.
            try publisher.send(pub("bounds", payloads["bounds"]!.dropLast() + ",1]"))
            let errors = try publisher.barrier()
            #expect(errors.count == 1 && "\(errors)".contains("must be >="), "\(errors)")
        }
        #expect(try subscriber.barrier().isEmpty)
        let (loops, workers) = try matched(broker)
        #expect(loops + workers == 3 * (32 + 1 + 2), "nothing is counted twice")
        #expect(setup.workers == 0 ? workers == 0 : loops == 0)
    }

    @Test(
        "keeps its place among those of its publisher, on the way to workers and back",
        arguments: setups)
    func order(setup: RuleSetup) throws {
        let rules = setup.rules([Self.wildcards("mixed", "o.mixed"), .checking("o.checked")]) {
            $0.inlineBytesMax = 8_192
        }
        let broker = try setup.broker(rules)
        let subscriber = try broker.subscriber("SUB o.* 1")
        let publishers = try broker.clients(2)
        var random = SeededRandom(printedFor: "order of costly rules")
        var next = 0
        for round in 0..<6 {
            // Longer than a rule is remembered: the loop tries again.
            usleep(UInt32(CostlyRules.nanoseconds / 1_000) + 20_000)
            let publisher = publishers[round % 2]
            let first = next
            var bytes = pub("o.mixed", Self.payload(next, isCostly: false))
            for n in 1..<40 {
                let subject = random.pick(["o.mixed", "o.checked", "o.free"])
                bytes += pub(subject, Self.payload(first + n, isCostly: random.oneIn(8)))
            }
            try publisher.send(bytes)
            for _ in 0..<40 {
                #expect(try Self.number(try subscriber.message().text) == next)
                next += 1
            }
            try publisher.barrier()
        }
        #expect(try subscriber.barrier().isEmpty)
        let (loops, workers) = try matched(broker)
        let all = try #require(broker.broker.rulesSnapshot()).rules
        #expect(loops + workers == all.reduce(0) { $0 + $1.matched })
        #expect(all.allSatisfy { $0.matched == $0.evaluations }, "nothing is counted twice")
        #expect(loops >= 6, "the first of each round is the loop's")
        #expect(setup.workers == 0 || workers >= 6)
    }

    @Test("waits where its worker has no room at all, and is not lost", arguments: setups)
    func fullRings(setup: RuleSetup) throws {
        let count = 3 * WorkerLink<RuleJob>.jobsOverMax
        let rules = setup.rules((0..<count).map { Self.wildcards("r\($0)", "f.\($0)") }) {
            $0.queueJobsMax = 1
            $0.inlineBytesMax = 8_192
        }
        let broker = try setup.broker(rules)
        let subscriber = try broker.subscriber("SUB f.* 1")
        let publishers = try broker.clients(count)
        for _ in 0..<2 {
            // Each begins with a rule that no loop knows to be costly.
            for (n, publisher) in publishers.enumerated() {
                try publisher.send(pub("f.\(n)", Self.payload(n, isCostly: true)))
            }
            for publisher in publishers { try publisher.barrier() }
            let messages = try subscriber.barrier().compactMap(\.message)
            #expect(try Set(messages.map { try Self.number($0.text) }) == Set(0..<count))
            #expect(messages.count == count)
            usleep(UInt32(CostlyRules.nanoseconds / 1_000))
        }
        let (loops, workers) = try matched(broker)
        #expect(loops + workers == 2 * count)
        #expect(setup.workers == 0 ? workers == 0 : loops == 0)
    }
}
