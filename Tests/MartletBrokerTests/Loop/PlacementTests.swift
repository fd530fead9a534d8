import Testing

@testable import MartletBroker

@Suite("A new connection goes to") struct PlacementTests {
    /// Loops that were busy for these shares of a tenth of a second.
    private func placement(_ shares: [Double], followsLoad: Bool = true) -> Placement {
        var placement = Placement(loopCount: shares.count, followsLoad: followsLoad)
        placement.look(at: 1_000_000_000) { _ in 7 }
        placement.look(at: 1_100_000_000) { 7 + Int(shares[$0] * 1e8) }
        return placement
    }

    @Test("the loop with the fewest connections where the number of loops is configured")
    func fewest() {
        let placement = placement([0.9, 0.1, 0.1], followsLoad: false)
        #expect(placement.loopForNext { [1, 2, 3][$0] } == 0)
        #expect(placement.loopForNext { [2, 1, 1][$0] } == 1)
    }

    @Test("the first loop while none has anything to do")
    func idle() {
        #expect(placement([0, 0, 0]).loopForNext { _ in 0 } == 0)
        #expect(placement([0, 0, 0]).loopForNext { [500, 0, 0][$0] } == 0)
    }

    @Test("the busiest loop that has room")
    func busiestWithRoom() {
        #expect(placement([0.3, 0, 0]).loopForNext { [9, 0, 0][$0] } == 0)
        #expect(placement([0.6, 0, 0]).loopForNext { [9, 0, 0][$0] } == 1)
        #expect(placement([0.6, 0.2, 0]).loopForNext { [9, 9, 0][$0] } == 1)
        #expect(placement([0.6, 0.55, 0]).loopForNext { [9, 9, 0][$0] } == 2)
    }

    @Test("the one with least to do where none has room, and of those to the one with fewest")
    func nobodyHasRoom() {
        #expect(placement([0.9, 0.7, 0.99]).loopForNext { _ in 5 } == 1)
        #expect(placement([0.95, 0.95, 0.95]).loopForNext { [5, 5, 4][$0] } == 2)
    }

    @Test("where it did before while a look is too recent to tell anything new")
    func windows() {
        var placement = placement([0.9, 0])
        placement.look(at: 1_101_000_000) { _ in 1 << 40 }
        #expect(placement.shares == [0.9, 0])
        placement.look(at: 1_200_000_000) { [100_000_007, 50_000_007][$0] }
        #expect(abs(placement.shares[0] - 0.1) < 0.001 && abs(placement.shares[1] - 0.5) < 0.001)
    }
}
