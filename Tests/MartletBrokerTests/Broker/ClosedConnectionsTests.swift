import Testing

@testable import MartletBroker

@Suite struct ClosedConnectionsTests {
    private let budget = MemoryBudget(bytesMax: 64 << 20)

    private func snapshot(_ id: Int, subscriptions: Int = 0) -> ConnectionSnapshot {
        var snapshot = ConnectionSnapshot()
        snapshot.id = UInt64(id)
        snapshot.subscriptions = (0..<subscriptions).map {
            var one = SubscriptionSnapshot()
            one.subject = "a.subject.of.more.than.fifteen.bytes.\($0)"
            return one
        }
        return snapshot
    }

    @Test("the oldest go for new ones, whatever the limit becomes")
    func keepsTheLatest() {
        var closed = ClosedConnections(budget: budget)
        for (id, limit) in [(50, 10), (60, 25), (80, 3), (100, 40)] {
            let before = closed.all.last.map { Int($0.id) + 1 } ?? 0
            for i in before..<id { closed.append(snapshot(i), keeping: limit) }
            let kept = closed.all.map(\.id)
            #expect(kept.count <= limit && kept.last == UInt64(id - 1))
            #expect(kept == Array((UInt64(id) - UInt64(kept.count))..<UInt64(id)))
        }
        closed.append(snapshot(101), keeping: 0)
        #expect(closed.all.isEmpty)
        #expect(budget.usedBytes == 0)
    }

    @Test("they are a part of the memory budget, and take a 64th of it at most")
    func areInTheBudget() {
        var closed = ClosedConnections(budget: budget)
        for i in 0..<2_000 { closed.append(snapshot(i, subscriptions: 128), keeping: 10_000) }
        #expect(closed.byteCount == budget.usedBytes)
        #expect(budget.usedBytes <= 1 << 20)
        #expect(closed.all.count > 20 && closed.all.last?.id == 1_999)
        budget.reserveAlways(64 << 20)
        closed.append(snapshot(2_000), keeping: 10_000)
        #expect(closed.all.isEmpty)
    }
}
