import MartletRules
import MartletTestSupport

@testable import MartletBroker

/// Where rules are evaluated, over which wire messages come, and on how many loops.
struct RuleSetup: Sendable, CustomStringConvertible {
    let broker: BrokerSetup
    /// 0 evaluates everything on the loop; else everything goes to workers.
    let workers: Int

    static let all = [(1, 0), (1, 1), (2, 2), (4, 1)].flatMap { loops, workers in
        BrokerSetup.with(loops: [loops]).map { RuleSetup(broker: $0, workers: workers) }
    }

    var description: String { "\(broker), \(workers) workers" }

    func rules(
        _ rules: [RuleDefinition], _ change: (inout RulesConfiguration) -> Void = { _ in }
    ) -> RulesConfiguration {
        var configuration = RulesConfiguration()
        configuration.workerCount = workers
        configuration.inlineBytesMax = 0
        configuration.definition.schemas = [
            .init(name: "order", path: "order.json", text: Array(Self.schema.utf8))
        ]
        configuration.definition.rules = rules
        change(&configuration)
        return configuration
    }

    func broker(
        _ rules: [RuleDefinition], _ change: (inout BrokerConfiguration) -> Void = { _ in }
    ) throws -> TestBroker {
        try broker(self.rules(rules), change)
    }

    func broker(
        _ rules: RulesConfiguration, _ change: (inout BrokerConfiguration) -> Void = { _ in }
    ) throws -> TestBroker {
        try broker.broker {
            $0.rules = rules
            change(&$0)
        }
    }

    private static let schema = """
        {"type": "object", "required": ["id"],
         "properties": {"id": {"type": "integer"}, "total": {"minimum": 0}}}
        """
}

extension RuleDefinition {
    init(_ name: String, _ subject: String, _ change: (inout RuleDefinition) -> Void) {
        self.init(name: name, subject: subject)
        change(&self)
    }

    /// Whether the payload is JSON.
    static func checking(_ subject: String) -> RuleDefinition {
        RuleDefinition(subject == ">" ? "all" : subject, subject) { $0.validation = .json }
    }
}
