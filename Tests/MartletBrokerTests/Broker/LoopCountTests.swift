import Testing

@testable import MartletBroker

@Suite struct LoopCountTests {
    @Test("auto is one loop on a small machine, else one for two cores, and not more than eight")
    func automatic() {
        #expect([1, 2, 3].map { Broker.loopCount(forCores: $0) } == [1, 1, 1])
        #expect([4, 5, 8, 16, 96].map { Broker.loopCount(forCores: $0) } == [2, 2, 4, 8, 8])
    }
}
