/// What a user may publish and subscribe to. Publish and subscribe ask here; without a
/// `Permissions` value all is allowed, and no user has one yet.
///
/// Connections hold on to theirs: a reload may replace the users meanwhile.
final class Permissions: Sendable {
    func allowsPublish(_ subject: Bytes, _ count: Int) -> Bool { true }
    func allowsSubscribe(_ subject: Bytes, _ count: Int, queue: Bytes, _ queueCount: Int) -> Bool {
        true
    }
}
