import Testing

@testable import MartletBroker

@Suite("Whether a loop looks for events before it sleeps")
struct EventForecastTests {
    private static let limit: UInt64 = 20_000
    private static let short: UInt64 = 10_000
    private static let long: UInt64 = 1_000_000

    /// The gaps before which the loop looked for an event, of all these.
    private func looks(_ gaps: some Sequence<UInt64>) -> [UInt64] {
        var forecast = EventForecast()
        return gaps.filter { gap in
            let looks = forecast.expectsOneSoon
            forecast.record(gap: gap, limit: Self.limit)
            return looks
        }
    }

    @Test("after some short gaps, and then before every one")
    func steady() {
        let gaps = Array(repeating: Self.short, count: 1_000)
        #expect(looks(gaps).count == 1_000 - EventForecast.sleepsMin)
    }

    @Test("a gap that was slept through has the time to wake in it")
    func sleeping() {
        let gaps = Array(
            repeating: Self.limit + EventForecast.wakeNanoseconds, count: EventForecast.sleepsMin)
        #expect(looks(gaps + [Self.short]) == [Self.short])
    }

    @Test("never while events are rare")
    func rare() { #expect(looks(Array(repeating: Self.long, count: 1_000)).isEmpty) }

    @Test("a pause ends it after two looks in vain, and some short gaps bring it back")
    func pause() {
        let busy = Array(repeating: Self.short, count: 100)
        let looked = looks(busy + Array(repeating: Self.long, count: 1_000))
        #expect(looked.count { $0 == Self.long } == 2)
        #expect(looks(busy + [Self.long, Self.long] + busy).count > 180)
    }

    @Test("gaps that are always a little too long cost less and less")
    func tooLong() {
        let looked = looks(Array(repeating: Self.limit + 1, count: 10_000))
        #expect(looked.count < 50)
        #expect(!looked.isEmpty)
    }

    @Test("where only half come in time, it does not pay")
    func half() {
        let gaps = (0..<10_000).map { $0 % 2 == 0 ? Self.short : Self.limit + 1 }
        #expect(looks(gaps).count < 150)
    }
}
