import Glibc

extension PacedRun {
    /// The same load as a closed loop, as fast as it goes: the next message leaves when one has come, so
    /// no server has more to hold than what was under way at the start. Latency counts from then.
    func runClosed(
        send: (_ k: Int, _ due: UInt64) -> Void,
        arrives: (Link, Message, UInt64) throws -> UInt64?
    ) throws -> Report {
        let begin = try options.beginning()
        let (measureStart, end) = options.announce(from: begin)
        var recorder = Recorder(start: measureStart, end: end, windowSeconds: options.window)
        var senders = Lanes(count: lanes, linksEach: linksPerLane, copies: copies ?? 1)
        let processorBefore = processorTime()
        var work = WorkTime()
        var now = nanosecondsNow()
        for lane in 0..<lanes {
            for _ in 0..<inFlight {
                send(senders.nextMessage(of: lane), now)
                recorder.recordSent(at: now)
            }
        }
        while true {
            let turn = now
            try turns.flush()
            let hadTick = try background.tick(now)
            if now >= end, isOver(recorder, end, now) { break }
            let (linkCount, waited) = try turns.receive(waiting: options.spin ? 0 : 1_000_000) {
                link, message, moment in
                guard let due = try arrives(link, message, moment) else { return }
                recorder.recordReceived(due: due, at: moment)
                guard let lane = senders.laneWithRoom(afterArrivalOn: link.index), moment < end
                else { return }
                send(senders.nextMessage(of: lane), moment)
                recorder.recordSent(at: moment)
            }
            now = nanosecondsNow()
            work.addTurn(
                from: turn, to: now, waited: waited, hadWork: linkCount > 0 || hadTick)
        }
        return makeReport(recorder, work, from: begin, processorBefore)
    }
}

/// Which sender may send another message when one has come, and the number of that message.
struct Lanes {
    private let linksEach: Int
    private let copies: Int
    private var arrivals: [Int]
    private var next: [Int]

    /// Lane 0 has the first `linksEach` links, and so on; each message of a lane comes `copies` times.
    init(count: Int, linksEach: Int, copies: Int) {
        self.linksEach = linksEach
        self.copies = copies
        arrivals = Array(repeating: 0, count: count)
        next = Array(0..<count)
    }

    /// Numbers that leave the lane's own number as the rest of a division by how many there are.
    @inline(__always)
    mutating func nextMessage(of lane: Int) -> Int {
        defer { next[lane] &+= next.count }
        return next[lane]
    }

    /// The lane of the link, if all copies of one of its messages have come with this one.
    @inline(__always)
    mutating func laneWithRoom(afterArrivalOn linkIndex: Int) -> Int? {
        let lane = linkIndex / linksEach
        arrivals[lane] &+= 1
        return arrivals[lane] % copies == 0 ? lane : nil
    }
}
