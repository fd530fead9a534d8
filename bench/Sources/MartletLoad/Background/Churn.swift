/// Connections that subscribe to new subjects all the time and drop the oldest of them as often.
final class Churn: BackgroundActivity {
    private let turns: Turns
    private let links: [Link]
    private var pace: Pace
    private var number = 0
    private static let linkCount = 4
    /// Subscriptions that each connection keeps.
    private static let kept = 100

    init(_ turns: Turns, perSecond: Int) throws {
        self.turns = turns
        links = try (0..<Self.linkCount).map { _ in try turns.connect(.background) }
        pace = Pace(perSecond: perSecond)
    }

    func tick(_ count: Int) throws {
        for _ in 0..<pace.due(count) {
            let link = links[number % Self.linkCount]
            if link.isClosed { throw LoadFailure("the server closed a connection that subscribes") }
            link.subscribe(subject(number), number: number)
            let old = number - Self.kept * Self.linkCount
            if old >= 0 { link.send(turns.wire.unsubscribe(subject(old), number: old)) }
            turns.markDirty(link)
            number += 1
        }
    }

    private func subject(_ number: Int) -> String { "bench.churn.\(number)" }

    var counts: [(String, Int)] { [("churned", number)] }
}
