import Foundation
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletBroker

/// What clients may build on, proved over TCP with one loop and with several. One test at a time:
/// most of them measure time or fill buffers.
@Suite(.serialized) enum Guarantees {
    static let loopCounts = [1, 2, 4]
}

extension TestBroker {
    /// The open connections, without the pool that tests may have filled with blocked threads.
    func connections(subscriptions: Bool = false) -> [ConnectionSnapshot] {
        let all = Guarded<[ConnectionSnapshot]>([])
        let group = DispatchGroup()
        for loop in broker.shared.loops {
            group.enter()
            let isRead = loop.mail.post(
                .describeConnections(withSubscriptions: subscriptions) { some in
                    all.withLock { $0 += some }
                    group.leave()
                })
            if !isRead { group.leave() }
        }
        group.wait()
        return all.withLock { $0 }
    }

    /// The loops that have connections.
    var usedLoops: Set<Int> { Set(connections().map(\.loop)) }
}

/// `PUB subject size` and the payload.
func pub(_ subject: String, _ payload: String, reply: String? = nil) -> String {
    "PUB \(subject) \(reply.map { $0 + " " } ?? "")\(payload.utf8.count)\r\n\(payload)\r\n"
}
