import ArgumentParser
import Histogram
import Testing

@testable import MartletLoad

/// What several processes need to load one server together.
@Suite struct SharedLoadTests {
    @Test(
        "every other client is drawn about as often, and never the sender", arguments: [2, 3, 128])
    func peers(clientCount: Int) {
        let peers = RandomPeers(clientCount: clientCount, seed: 1)
        var counts = Array(repeating: 0, count: clientCount)
        let sender = clientCount / 2
        for message in 0..<1_000 * clientCount {
            counts[peers.peer(of: sender, message: message)] += 1
        }
        #expect(counts.remove(at: sender) == 0)
        let expected = 1_000 * clientCount / (clientCount - 1)
        #expect(counts.allSatisfy { abs($0 - expected) < expected / 5 })
    }

    @Test("processes of a group draw differently")
    func members() {
        let draws = (0..<3).map { seed in
            let peers = RandomPeers(clientCount: 64, seed: UInt64(seed))
            return (0..<100).map { peers.peer(of: 0, message: $0) }
        }
        #expect(Set(draws).count == 3)
    }

    @Test("a lane sends its own next message when all copies of one have come")
    func lanes() {
        var lanes = Lanes(count: 3, linksEach: 2, copies: 2)
        #expect((0..<3).map { lanes.nextMessage(of: $0) } == [0, 1, 2])
        #expect(lanes.laneWithRoom(afterArrivalOn: 2) == nil)
        #expect(lanes.laneWithRoom(afterArrivalOn: 5) == nil)
        #expect(lanes.laneWithRoom(afterArrivalOn: 3) == 1)
        #expect(lanes.nextMessage(of: 1) == 4)
        #expect(lanes.nextMessage(of: 1) == 7)
    }

    @Test("links of a single lane are all its own")
    func oneLane() {
        var lanes = Lanes(count: 1, linksEach: .max, copies: 1)
        #expect(lanes.laneWithRoom(afterArrivalOn: 1_000) == 0)
    }

    @Test("what leaves when it can is never late, and counts between start and end")
    func closedLoop() {
        var recorder = Recorder(start: 1_000, end: 2_000)
        for now in [999, 1_000, 1_999, 2_000] as [UInt64] { recorder.recordSent(at: now) }
        #expect(recorder.sent == 2)
        #expect(recorder.lateness.totalCount == 0)
    }

    @Test("a report holds every latency, to three digits")
    func counts() {
        var recorder = Recorder(start: 0, end: 10)
        for latency in [100, 100, 2_000_000] as [UInt64] {
            recorder.recordReceived(due: 0, at: latency)
        }
        var report = Report()
        report.addCounts("latency_counts", recorder.latency)
        #expect(report.json == #"{"latency_counts":[[100,2],[2000895,1]]}"#)
        #expect(recorder.lastArrival == 2_000_000)
    }

    @Test(
        "a group without others, or a member outside of it, is refused",
        arguments: [["--clients", "1"], ["--member", "1"], ["--group", "0"]])
    func refused(arguments: [String]) {
        #expect(throws: (any Error).self) { try AllToAll.parse(arguments) }
    }
}
