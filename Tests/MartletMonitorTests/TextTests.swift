import Testing

@testable import MartletMonitor

@Suite("Texts as Go prints them")
struct TextTests {
    @Test(
        "durations",
        arguments: [
            (0, "0s"), (999, "999ns"), (531_000, "531µs"), (1_114_211, "1.114211ms"),
            (1_500, "1.5µs"), (2_000_000_000, "2s"), (62_000_000_000, "1m2s"),
            (3_600_000_000_000, "1h0m0s"), (1_500_000_000, "1.5s"),
        ] as [(UInt64, String)])
    func durations(nanoseconds: UInt64, text: String) {
        #expect(GoText.duration(nanoseconds: nanoseconds) == text)
    }

    @Test(
        "uptimes",
        arguments: [
            (0, "0s"), (62, "1m2s"), (3_600, "1h0m0s"), (90_061, "1d1h1m1s"),
            (31_536_000 + 86_400, "1y1d0h0m0s"),
        ] as [(UInt64, String)])
    func uptimes(seconds: UInt64, text: String) {
        #expect(GoText.uptime(nanoseconds: seconds * 1_000_000_000) == text)
    }

    @Test(
        "moments",
        arguments: [
            (0, "1970-01-01T00:00:00Z"),
            (1_795_389_348_004_091_726, "2026-11-22T23:15:48.004091726Z"),
            (1_709_164_800_500_000_000, "2024-02-29T00:00:00.5Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
            (1_735_689_599_000_000_001, "2024-12-31T23:59:59.000000001Z"),
        ] as [(UInt64, String)])
    func moments(nanoseconds: UInt64, text: String) {
        #expect(GoText.time(nanosecondsSince1970: nanoseconds) == text)
    }

    @Test("JSON is laid out as Go does")
    func layout() {
        let compact = #"{"a":1,"b":{},"c":[],"d":[{"e":"x,{\"y\":\\"},2]}"#
        let pretty = """
            {
              "a": 1,
              "b": {},
              "c": [],
              "d": [
                {
                  "e": "x,{\\"y\\":\\\\"
                },
                2
              ]
            }
            """
        #expect(String(decoding: JSONLayout.indented(Array(compact.utf8)), as: UTF8.self) == pretty)
    }

    @Test(
        "overlapping subjects",
        arguments: [
            ("a", "a", true), ("a.*", "a.b", true), ("a.>", "a.b.c", true), (">", "x", true),
            ("a.>", "a", false), ("a.*", "a.b.c", false), ("*.b", "a.*", true), ("a", "b", false),
        ])
    func overlaps(one: String, other: String, result: Bool) {
        #expect(SubjectPattern.overlaps(one, other) == result)
        #expect(SubjectPattern.overlaps(other, one) == result)
    }
}
