import Glibc

/// Lame duck mode: no new clients, INFO with `ldm` to those there are, a grace period, then they are
/// closed spread over the configured time, and the broker stops.
struct LameDuck {
    private let broker: Broker

    init(_ broker: Broker) {
        self.broker = broker
    }

    func run() {
        let shared = broker.shared
        for loop in shared.loops { loop.mail.post(.enterLameDuck) }
        let configuration = shared.configuration
        guard sleep(configuration.lameDuck.gracePeriodNanoseconds, whileConnected: true) else {
            return finish()
        }
        let left = shared.connectionCount
        guard left > 0 else { return finish() }
        let duration =
            configuration.lameDuck.durationNanoseconds
            - min(
                configuration.lameDuck.durationNanoseconds,
                configuration.lameDuck.gracePeriodNanoseconds)
        shared.events.record(.lameDuckClosesClients)
        // At most one step a second apart, and enough at each step to be done in time.
        let pause = min(1_000_000_000, duration / UInt64(left))
        let steps = max(1, duration / max(1, pause))
        let perStep = max(1, (left + Int(steps) - 1) / Int(steps))
        while shared.connectionCount > 0, broker.isRunning {
            closeNext(perStep)
            guard sleep(max(pause, 1_000_000), whileConnected: false) else { break }
        }
        finish()
    }

    private func closeNext(_ count: Int) {
        let crowded = broker.shared.loops.max {
            $0.counters.pointee.connections.total < $1.counters.pointee.connections.total
        }
        crowded?.mail.post(.closeSome(count))
    }

    private func finish() {
        broker.stop()
    }

    /// False when the broker has stopped meanwhile, or, if asked, when nobody is connected any more.
    private func sleep(_ nanoseconds: UInt64, whileConnected: Bool) -> Bool {
        var left = nanoseconds
        while left > 0 {
            guard broker.isRunning else { return false }
            if whileConnected, broker.shared.connectionCount == 0 { return false }
            let step = min(left, 50_000_000)
            usleep(UInt32(step / 1_000))
            left -= step
        }
        return broker.isRunning
    }
}
