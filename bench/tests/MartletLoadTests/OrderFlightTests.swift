import Foundation
import Testing

@testable import MartletLoad

/// Which request a reply belongs to, and which replies are right.
@Suite struct OrderFlightTests {
    static let reply = #"{"id":1}"#

    @Test("a right reply counts once, from when its own request was due")
    func rightReply() throws {
        var flight = try makeFlight()
        flight.leaves(0, 100)
        flight.leaves(41, 200)
        #expect(try arrival(41, Self.reply, &flight) == 200)
        #expect(try arrival(0, Self.reply, &flight) == 100)
        #expect(flight.wrongCount == 0 && flight.example == nil)
        #expect(try arrival(41, Self.reply, &flight) == nil)
        #expect(flight.wrongCount == 1)
    }

    @Test(
        "another reply, or one to nothing, is wrong",
        arguments: [(7, #"{"id":2}"#), (7, #"{"id":1} "#), (7, ""), (8, reply), (5_000, reply)])
    func wrongReply(number: Int, text: String) throws {
        var flight = try makeFlight()
        flight.leaves(7, 100)
        #expect(try arrival(number, text, &flight) == nil)
        #expect(flight.wrongCount == 1)
        #expect(flight.example?.contains("\"") == false)
    }

    private func makeFlight() throws -> OrderFlight {
        let path = FileManager.default.temporaryDirectory.appending(
            component: "martlet-load-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: path) }
        try Data(Self.reply.utf8).write(to: path)
        return OrderFlight(count: 1_000, expected: try FileBytes(path.path))
    }

    private func arrival(
        _ number: Int, _ text: String, _ flight: inout OrderFlight
    ) throws -> UInt64? {
        let digits = String(number)
        let inbox = "_INBOX.load1.3." + String(repeating: "0", count: 10 - digits.count) + digits
        var bytes = Array("MSG \(inbox) 1 \(text.utf8.count)\r\n\(text)\r\n".utf8)
        return try unsafe bytes.withUnsafeMutableBufferPointer {
            guard
                case .message(let message, _) = try unsafe NATSWire.frame(
                    $0.baseAddress!, $0.count)
            else { return nil }
            return flight.arrives(message)
        }
    }
}
