import Testing

@testable import MartletBroker

@Suite("Loops give connections to each other") struct BalanceTests {
    /// What is decided after looking so often at the same shares, and at which look.
    private func decisions(
        _ shares: [Double], looks: Int, _ balance: inout Balance
    ) -> [(look: Int, relief: Relief)] {
        (0..<looks).compactMap { look in balance.look(shares).map { (look, $0) } }
    }

    @Test("when one is full twice in a row and another has room: half of the difference")
    func fullLoop() {
        var balance = Balance()
        #expect(balance.look([0.9, 0.1]) == nil)
        let relief = balance.look([0.9, 0.1])
        #expect(relief?.from == 0 && relief?.to == 1)
        #expect(abs((relief?.part ?? 0) - 0.4 / 0.9) < 0.001)
    }

    @Test("not when that was for a moment, or nobody has room")
    func noReason() {
        var balance = Balance()
        for _ in 0..<50 {
            #expect(balance.look([0.9, 0.1]) == nil)
            #expect(balance.look([0.7, 0.3]) == nil)
        }
        #expect(decisions([0.95, 0.9, 0.6], looks: 50, &balance).isEmpty)
        #expect(decisions([0.75, 0.1], looks: 50, &balance).isEmpty)
    }

    @Test("and then wait what comes of it")
    func waits() {
        var balance = Balance()
        let looks = decisions([1, 0], looks: 20, &balance).map(\.look)
        #expect(looks.count > 1)
        for (one, next) in zip(looks, looks.dropFirst()) {
            #expect(next - one > Balance.looksBetweenReliefs)
        }
    }

    @Test("all to the busiest when one is enough for long, slowly")
    func oneIsEnough() {
        var balance = Balance()
        let found = decisions([0.05, 0.1, 0.02], looks: 60, &balance)
        #expect(found.first?.look == Balance.quietLooksMin - 1)
        #expect(found.allSatisfy { $0.relief.from == 2 && $0.relief.to == 1 })
        // Ten looks a second.
        let moved = found.reduce(0) { $0 + $1.relief.connectionsMax }
        #expect(moved <= 4 * 6)
        #expect(decisions([0.2, 0.2], looks: 60, &balance).isEmpty, "together they are too much")
        #expect(decisions([0.2, 0.0001], looks: 60, &balance).isEmpty, "that costs nothing")
    }
}
