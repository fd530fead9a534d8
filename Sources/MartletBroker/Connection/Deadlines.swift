extension TimerOwner.Kind {
    /// The slot is a connection's.
    static let connection = TimerOwner.Kind(rawValue: 0)
}

/// What a connection waits for, as moments of the loop's clock; `never` where it waits for nothing.
/// One entry in the loop's timers stands for all: the nearest one when it was set.
struct Deadlines: BitwiseCopyable {
    static let never = UInt64.max

    /// To have authenticated.
    var authentication = never
    /// To send the next PING.
    var ping = never
    /// For the oldest unsent byte to have left.
    var write = never
    /// For publishers to stop waiting for this subscriber.
    var block = never
    /// To read again, after a pause for rate or memory.
    var resume = never

    /// The entry in the timers that counts; and one behind it that was added before.
    var armed = never
    var overtaken = never

    enum Kind {
        case authentication, ping, write, block, resume
    }

    mutating func set(_ kind: Kind, _ deadline: UInt64) {
        switch kind {
        case .authentication: authentication = deadline
        case .ping: ping = deadline
        case .write: write = deadline
        case .block: block = deadline
        case .resume: resume = deadline
        }
    }

    var nearest: UInt64 { min(authentication, ping, write, block, resume) }
}
