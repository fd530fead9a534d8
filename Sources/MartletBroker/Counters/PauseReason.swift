/// Why a connection is not read for now, as users know it.
public enum PauseReason: String, CaseIterable, Sendable {
    /// It published faster than its rate.
    case rate
    /// The memory budget is spent.
    case memory
    /// Its messages are with workers that check rules, and it has as many there as it may, or they have no
    /// room.
    case worker
    /// A subscriber with the policy `block` is over its limit.
    case block
    /// Too much waits for another loop.
    case link
}

extension PauseReason {
    /// nil for those that only spread work over turns.
    init?(_ reason: PauseReasons) {
        switch reason {
        case .rate: self = .rate
        case .memory: self = .memory
        case .rules: self = .worker
        case .blockedSubscriber: self = .block
        case .mailbox: self = .link
        default: return nil
        }
    }

    static func all(in reasons: PauseReasons) -> [PauseReason] {
        reasons.each.compactMap { PauseReason($0) }
    }
}
