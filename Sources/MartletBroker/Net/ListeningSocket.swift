import CMartletSystem
import Glibc

/// A bound, listening, non-blocking TCP socket. Whoever has it closes its descriptor.
package struct ListeningSocket: Sendable {
    /// Why there is none, in nats-server's words.
    package struct Failure: Error, Sendable, CustomStringConvertible {
        package let description: String
    }

    package let descriptor: Int32
    /// The port that it got.
    package let port: Int

    /// - Parameters:
    ///   - place: a host name or address of this machine; port 0 takes any that is free.
    ///   - backlog: how many connections may wait to be accepted; as many as the system allows, since who
    ///     finds no room tries again after a second.
    package init(_ place: HostAndPort, backlog: Int32 = 65_535) throws(Failure) {
        guard (0...65_535).contains(place.port) else {
            throw Failure(description: "listen tcp: address \(place.port): invalid port")
        }
        let address: SocketAddress
        var anyAddress: SocketAddress?
        do throws(SocketAddress.LookupFailure) {
            address = try SocketAddress.resolve(place, isForListening: true)[0]
            // As nats-server: all addresses of the machine are those of both families.
            if place.host.isEmpty || place.host == "0.0.0.0" {
                anyAddress = try SocketAddress.resolve(
                    HostAndPort(host: "::", port: place.port), isForListening: true)[0]
            }
        } catch {
            throw Failure(description: "listen tcp: \(error)")
        }
        do throws(SystemFailure) {
            descriptor = try Self.open(anyAddress, or: address, backlog: backlog)
            port = try Int(SocketAddress(local: descriptor).port)
        } catch {
            throw Failure(
                description: "listen tcp \(place): \(error.call): \(error.reason.lowercased())")
        }
    }

    /// A machine without IPv6 has no socket for the first address, and gets one for the second.
    private static func open(
        _ anyAddress: SocketAddress?, or address: SocketAddress, backlog: Int32
    ) throws(SystemFailure) -> Int32 {
        if let anyAddress {
            do throws(SystemFailure) {
                return try open(anyAddress, backlog: backlog)
            } catch {
                guard error.code == EAFNOSUPPORT || error.code == EADDRNOTAVAIL else { throw error }
            }
        }
        return try open(address, backlog: backlog)
    }

    private static func open(
        _ address: SocketAddress, backlog: Int32
    ) throws(SystemFailure) -> Int32 {
        let descriptor = try Socket.make(address.family, .stream)
        do throws(SystemFailure) {
            try Socket.set(SO_REUSEADDR, of: SOL_SOCKET, to: 1, on: descriptor)
            if address.family == AF_INET6 {
                // "::" serves IPv4 too, as nats-server does.
                try Socket.set(IPV6_V6ONLY, of: Int32(IPPROTO_IPV6), to: 0, on: descriptor)
            }
            guard unsafe address.withPointer({ unsafe bind(descriptor, $0, $1) }) == 0 else {
                throw SystemFailure("bind")
            }
            guard listen(descriptor, backlog) == 0 else { throw SystemFailure("listen") }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }
}
