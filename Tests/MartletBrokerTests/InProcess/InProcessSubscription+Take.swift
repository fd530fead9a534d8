@testable import MartletBroker

extension InProcessSubscription {
    /// The next so many messages.
    func take(_ count: Int) async throws -> [InProcessMessage] {
        var messages: [InProcessMessage] = []
        let iterator = makeAsyncIterator()
        while messages.count < count, let message = try await iterator.next() {
            messages.append(message)
        }
        return messages
    }

    /// All that is left.
    func rest() async throws -> [InProcessMessage] { try await take(.max) }
}
