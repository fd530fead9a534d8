import MartletBroker
import Testing

@testable import MartletCLI

@Suite("Small parts")
struct SupportTests {
    @Test(
        "addresses as people write them",
        arguments: [
            ("h:1", "h", 1), ("h", "h", 9), ("[::1]:2", "::1", 2), ("[::1]", "::1", 9),
            ("::1", "::1", 9), ("1.2.3.4:5", "1.2.3.4", 5),
        ])
    func addresses(text: String, host: String, port: Int) {
        #expect(HostAndPort(text, defaultPort: 9) == HostAndPort(host: host, port: port))
    }

    @Test("a file limit below max_connections is worth a warning")
    func fileLimit() {
        #expect(FileLimit.warning(limit: 1_000, connectionsMax: 936) == nil)
        #expect(FileLimit.warning(limit: 1_000, connectionsMax: 937)?.contains("1000") == true)
        #expect(FileLimit.raise() > 0)
    }

    @Test("0.0.0.0 stands for the addresses of the machine in the ports file")
    func ports() {
        let file = PortsFile(client: HostAndPort(host: "0.0.0.0", port: 1), monitoring: nil)
        #expect(file.nats?.contains("nats://127.0.0.1:1") == true)
        #expect(file.monitoring == nil)
    }
}
