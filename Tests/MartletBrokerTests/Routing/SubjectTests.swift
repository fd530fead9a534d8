import MartletTestSupport
import Testing

@testable import MartletBroker

@Suite struct SubjectTests {
    @Test(arguments: [
        "a", "a.b", "*", ">", "a.*", "a.>", "*.*", "a*", "a.b>", ">a", "*>", "a.**", ">>.b",
    ])
    func mayBeSubscribedTo(_ subject: String) {
        var bytes = Array(subject.utf8)
        #expect(Subject.isValidForSubscription(&bytes, bytes.count))
    }

    @Test(arguments: ["", ".", "a.", ".a", "a..b", ">.a", "a.>.b", "..", ">.>"])
    func mayNotBeSubscribedTo(_ subject: String) {
        var bytes = Array(subject.utf8)
        #expect(!Subject.isValidForSubscription(&bytes, bytes.count))
    }

    @Test(arguments: ["a", "a.b", "a*", "a.b>", ">>"])
    func mayBePublishedTo(_ subject: String) {
        var bytes = Array(subject.utf8)
        #expect(Subject.isValidForPublish(&bytes, bytes.count))
    }

    @Test(arguments: ["", "*", ">", "a.*", "a.>", "a..b", ".a", "a.", "*.a"])
    func mayNotBePublishedTo(_ subject: String) {
        var bytes = Array(subject.utf8)
        #expect(!Subject.isValidForPublish(&bytes, bytes.count))
    }

    @Test(arguments: testSeeds(10))
    func matchesAsTheModelDoes(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<2_000 {
            let filter = RandomSubject.filter(&random)
            let subject = (0...random.below(4)).map { _ in random.pick(RandomSubject.tokens) }
                .joined(separator: ".")
            let expected = RoutingBench.covers(
                RoutingBench.tokens(filter)[...], RoutingBench.tokens(subject)[...])
            var f = Array(filter.utf8)
            var s = Array(subject.utf8)
            #expect(
                Subject.matches(&f, f.count, &s, s.count) == expected,
                "seed \(seed): \(filter) and \(subject)")
        }
    }

    @Test func countsTokens() {
        for (subject, count) in [("a", 1), ("a.b", 2), ("a..b", 3), (".", 2)] {
            var bytes = Array(subject.utf8)
            #expect(Subject.tokenCount(&bytes, bytes.count) == count)
        }
    }

    // MARK: Hashes

    @Test(arguments: testSeeds(5))
    func aHashDependsOnEveryByteAndOnTheSeed(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for count in 1...70 {
            var bytes = random.bytes(count)
            let hash = SubjectHash.bytes(bytes, count, seed: seed)
            #expect(SubjectHash.bytes(bytes, count, seed: seed) == hash)
            #expect(SubjectHash.bytes(bytes, count, seed: seed &+ 1) != hash)
            let i = random.below(count)
            bytes[i] ^= UInt8(1 + random.below(255))
            #expect(
                SubjectHash.bytes(bytes, count, seed: seed) != hash, "\(count) bytes, byte \(i)")
        }
    }

    @Test func theLastTokenStartsBehindTheLastDot() {
        for (subject, start) in [
            ("foo", 0), ("foo.bar", 4), ("a.b.c", 4), (".foo", 1), ("foo.", 4),
        ] {
            var bytes = Array(subject.utf8)
            #expect(SubjectHash.lastTokenStart(&bytes, bytes.count) == start)
        }
    }

    @Test func aLiteralSubscriptionAndAPublishToItMeetInTheirSlots() {
        let seed: UInt64 = 99
        for subject in ["a", "a.b", "_INBOX.x.y", "a.b.c.d.e"] {
            let bytes = Array(subject.utf8)
            let cut = SubjectHash.lastTokenStart(bytes, bytes.count)
            let parent = SubjectHash.bytes(bytes, max(0, cut - 1), seed: seed)
            let last = SubjectHash.bytes(Array(bytes[cut...]), bytes.count - cut, seed: seed)
            let hash = SubjectHash.join(parent, last)
            let slots = InterestSlots.of(
                subject: bytes, bytes.count, hash: hash, parentHash: parent, seed: seed)
            #expect(slots.exact.literal == InterestSlots.exact(hash))
            #expect(slots.parent.literal == InterestSlots.parent(parent))
            #expect(slots.exact.oneToken == slots.parent.oneToken)
        }
    }

    @Test func slotsKnowTheLeadingTokens() {
        for (subject, expected) in [
            ("a", (1, 1, 1)), ("a.bc", (1, 4, 2)), ("a.bc.d", (1, 4, 3)), ("ab.c.d.e", (2, 4, 4)),
        ] {
            let bytes = Array(subject.utf8)
            let found = InterestSlots.leadingTokens(bytes, bytes.count)
            #expect(
                found.first == expected.0 && found.second == expected.1
                    && found.tokens == expected.2)
        }
    }
}
