import Testing

@testable import MartletBroker

@Suite struct RateLimitTests {
    private let second: UInt64 = 1_000_000_000

    @Test(arguments: [1, 10, 1_000, 250_000])
    func lettingPassWhatTheRateAllows(perSecond: Int) {
        var limit = RateLimit()
        var now = 5 * second
        let start = now
        var passed = 0
        while now < start + 10 * second {
            passed += 1
            let until = limit.take(
                bytes: 0, at: now, messagesPerSecond: perSecond, bytesPerSecond: 0)
            if until > 0 {
                #expect(until > now)
                now = until
            }
        }
        // Ten seconds' worth, a tenth of a second's worth at once, and the one that was too many.
        #expect(passed >= 10 * perSecond && passed <= 10 * perSecond + perSecond / 10 + 2)
    }

    @Test func bytesAndMessagesAreCountedApart() {
        var limit = RateLimit()
        // 50 KB fit into a tenth of a second; 51 KB do not.
        #expect(
            limit.take(bytes: 50_000, at: second, messagesPerSecond: 0, bytesPerSecond: 500_000)
                == 0)
        let until = limit.take(
            bytes: 1_000, at: second, messagesPerSecond: 0, bytesPerSecond: 500_000)
        #expect(until == second + 2_000_000)
    }

    @Test func aPauseEarnsNoMoreThanTheBurst() {
        var limit = RateLimit()
        _ = limit.take(bytes: 0, at: second, messagesPerSecond: 100, bytesPerSecond: 0)
        let later = 1_000 * second
        var passed = 0
        while limit.take(bytes: 0, at: later, messagesPerSecond: 100, bytesPerSecond: 0) == 0 {
            passed += 1
        }
        #expect(passed == 10)
    }

    @Test func withoutALimitNothingWaits() {
        var limit = RateLimit()
        for _ in 0..<1_000 {
            #expect(
                limit.take(bytes: 1 << 30, at: second, messagesPerSecond: 0, bytesPerSecond: 0) == 0
            )
        }
    }
}
