import Glibc
import Testing

@testable import MartletBroker

@Suite("Addresses, listening and connecting")
struct NetTests {
    /// What became of a connection to a port of this machine.
    private func connect(to host: String, port: Int) throws -> SystemFailure? {
        let address = try SocketAddress.resolve(HostAndPort(host: host, port: port))[0]
        do throws(SystemFailure) {
            let descriptor = try Connector.begin(address)
            defer { close(descriptor) }
            var status = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            #expect(poll(&status, 1, 5_000) == 1)
            try Connector.finish(descriptor)
        } catch { return error }
        return nil
    }

    private static var hasIPv6: Bool {
        (try? ListeningSocket(HostAndPort(host: "::1", port: 0))).map { close($0.descriptor) } == 0
    }

    @Test("a connection is made, or says why not")
    func connecting() throws {
        let socket = try ListeningSocket(HostAndPort(host: "127.0.0.1", port: 0))
        #expect(try connect(to: "127.0.0.1", port: socket.port) == nil)
        close(socket.descriptor)
        #expect(try connect(to: "127.0.0.1", port: socket.port)?.code == ECONNREFUSED)
    }

    @Test("all addresses are those of both families", arguments: ["0.0.0.0", "", "::"])
    func bothFamilies(host: String) throws {
        let socket = try ListeningSocket(HostAndPort(host: host, port: 0))
        defer { close(socket.descriptor) }
        #expect(try connect(to: "127.0.0.1", port: socket.port) == nil)
        if Self.hasIPv6 { #expect(try connect(to: "::1", port: socket.port) == nil) }
    }

    @Test("an address of one family serves that")
    func oneFamily() throws {
        let socket = try ListeningSocket(HostAndPort(host: "127.0.0.1", port: 0))
        defer { close(socket.descriptor) }
        if Self.hasIPv6 { #expect(try connect(to: "::1", port: socket.port) != nil) }
    }

    @Test("an address says its parts", arguments: [("127.0.0.1", 4_222), ("::1", 65_535)])
    func parts(host: String, port: Int) throws {
        let address = try SocketAddress.resolve(HostAndPort(host: host, port: port))[0]
        #expect(address.ip == host)
        #expect(Int(address.port) == port)
        #expect(SocketAddress(path: "/tmp/x").ip == "")
        #expect(SocketAddress(path: "/tmp/x").port == 0)
    }

    @Test("why nothing can be listened on is told")
    func listenFailures() throws {
        func failure(_ host: String, _ port: Int) -> String? {
            do throws(ListeningSocket.Failure) {
                close(try ListeningSocket(HostAndPort(host: host, port: port)).descriptor)
                return nil
            } catch { return error.description }
        }
        let socket = try ListeningSocket(HostAndPort(host: "127.0.0.1", port: 0))
        defer { close(socket.descriptor) }
        let port = socket.port
        #expect(
            failure("127.0.0.1", port)
                == "listen tcp 127.0.0.1:\(port): bind: address already in use")
        #expect(failure("127.0.0.1", 65_536) == "listen tcp: address 65536: invalid port")
        #expect(
            failure("no.such.host.invalid", 1)?.hasPrefix("listen tcp: lookup no.such.host") == true
        )
    }
}
