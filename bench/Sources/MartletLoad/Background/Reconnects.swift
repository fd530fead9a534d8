/// Clients that come, subscribe and go, always the oldest of them.
final class Reconnects: BackgroundActivity {
    private let turns: Turns
    private var links: [Link]
    private var pace: Pace
    private var number = 0
    private static let linkCount = 16

    init(_ turns: Turns, perSecond: Int) throws {
        self.turns = turns
        links = try (0..<Self.linkCount).map { _ in try turns.connect(.background) }
        pace = Pace(perSecond: perSecond)
    }

    func tick(_ count: Int) throws {
        for _ in 0..<pace.due(count) {
            let place = number % Self.linkCount
            links[place] = try turns.reconnect(links[place])
            links[place].subscribe("bench.reconnects.\(number)")
            turns.markDirty(links[place])
            number += 1
        }
    }

    var counts: [(String, Int)] { [("reconnected", number)] }
}
