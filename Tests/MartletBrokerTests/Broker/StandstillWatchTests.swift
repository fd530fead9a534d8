import Testing

@testable import MartletBroker

@Suite("Standstills of the process")
struct StandstillWatchTests {
    private let ms: UInt64 = 1_000_000

    @Test("are what a thread that only sleeps is woken late by")
    func late() {
        let watch = StandstillWatch()
        #expect(watch.wasWoken(at: 1_100 * ms, after: 1_000 * ms) == 0)
        #expect(watch.wasWoken(at: 1_219 * ms, after: 1_100 * ms) == 0)
        #expect(watch.soFar.count == 0 && watch.soFar.lastAt == 0)
        #expect(watch.wasWoken(at: 3_319 * ms, after: 1_219 * ms) == 2_000 * ms)
        #expect(watch.wasWoken(at: 3_469 * ms, after: 3_319 * ms) == 50 * ms)
        let found = watch.soFar
        #expect(found.count == 2)
        #expect(found.longestNanoseconds == 2_000 * ms)
        #expect(found.totalNanoseconds == 2_050 * ms)
        #expect(found.lastAt > 0)
    }

    @Test("are told from turns of which they were the smaller part")
    func share() {
        let watch = StandstillWatch()
        _ = watch.wasWoken(at: 1_000 * ms, after: 900 * ms)
        // It stands still from 1,100 to 2,000.
        #expect(!watch.isMost(ofTimeFrom: 1_050 * ms, to: 1_110 * ms))
        // A loop runs again before the watch does.
        #expect(watch.isMost(ofTimeFrom: 1_050 * ms, to: 2_001 * ms))
        _ = watch.wasWoken(at: 2_000 * ms, after: 1_000 * ms)
        #expect(watch.isMost(ofTimeFrom: 1_050 * ms, to: 2_001 * ms))
        #expect(watch.isMost(ofTimeFrom: 1_200 * ms, to: 1_300 * ms))
        // Work before it and behind it is the broker's.
        #expect(!watch.isMost(ofTimeFrom: 100 * ms, to: 2_001 * ms))
        #expect(!watch.isMost(ofTimeFrom: 1_000 * ms, to: 2_900 * ms + ms))
        #expect(!watch.isMost(ofTimeFrom: 2_001 * ms, to: 2_050 * ms))
        #expect(!watch.isMost(ofTimeFrom: 400 * ms, to: 500 * ms))
    }
}
