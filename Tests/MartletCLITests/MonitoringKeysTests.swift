import Foundation
import MartletBroker
import Testing

@testable import MartletCLI

@Suite("Monitoring beside nats-server", .serialized, .timeLimit(.minutes(1)))
struct MonitoringKeysTests {
    /// Keys of features that this version lacks, and of the Go runtime.
    private static let absent: Set<String> = [
        "git_commit", "go", "feature_flags", "system_account", "disk_io_wait_stats",
        "account_tag", "name_tag", "rtt",
    ]

    @Test(
        "no key is missing",
        .enabled(if: PeerServer.natsServer.executable != nil),
        arguments: [
            "/varz", "/connz?auth=1&subs=1", "/connz?subs=detail", "/subsz?subs=1", "/healthz",
        ])
    func keys(target: String) async throws {
        let real = try await keys(of: target, from: .natsServer)
        let ours = try await keys(of: target, from: .martlet)
        #expect(real.subtracting(ours) == [])
    }

    private func keys(of target: String, from peer: PeerServer) async throws -> Set<String> {
        let executable = try #require(peer.executable)
        let server = try TestProcess(
            ["-a", "127.0.0.1", "-p", "-1", "-m", "-1"], executable: executable)
        try await server.waitForLog("Server is ready")
        let port = try server.port(after: "Listening for client connections")
        let client = try ClientConnection(ServerURL("127.0.0.1:\(port)"), name: "keys")
        try client.subscribe("keys", queue: "q", id: 1)
        try client.flush()
        let http = try server.port(after: "Starting http monitor")
        return Self.keys(in: try get(target, port: http))
    }

    private func get(_ target: String, port: Int) throws -> Any {
        let deadline = Deadline.after(seconds: 10)
        let socket = try ClientSocket(
            HostAndPort(host: "127.0.0.1", port: port), deadline: deadline)
        // With HTTP/1.0 the body comes in one piece and ends with the connection.
        try socket.send(Array("GET \(target) HTTP/1.0\r\n\r\n".utf8), deadline: deadline)
        var answer: [UInt8] = []
        while case .bytes = socket.receive(into: &answer, deadline: deadline) {}
        let text = String(decoding: answer, as: UTF8.self)
        let head = try #require(text.firstRange(of: "\r\n\r\n"))
        let body = Data(text[head.upperBound...].utf8)
        return try JSONSerialization.jsonObject(with: body)
    }

    /// Every key that this version should have, at every depth.
    private static func keys(in value: Any) -> Set<String> {
        if let object = value as? [String: Any] {
            let present = object.filter { !absent.contains($0.key) }
            return present.values.reduce(into: Set(present.keys)) { $0.formUnion(keys(in: $1)) }
        }
        let list = value as? [Any] ?? []
        return list.reduce(into: []) { $0.formUnion(keys(in: $1)) }
    }
}
