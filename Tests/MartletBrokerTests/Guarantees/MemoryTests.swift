import MartletTestSupport
import Testing

@testable import MartletBroker

extension Guarantees {
    @Suite struct Memory {
        private static let bytesMax = 128 << 20

        private static func broker(loops: Int) throws -> TestBroker {
            try TestBroker(loops: loops) { $0.limits.memoryBytesMax = bytesMax }
        }

        @Test(
            "Subjects without end that reach thousands of subscriptions take little memory",
            arguments: [1, 2])
        func wideRoutes(loops: Int) throws {
            let test = try Self.broker(loops: loops)
            let (group, publisher) = (try test.client(), try test.client())
            try group.send((0..<5_000).map { "SUB a.> q \($0)\r\n" }.joined())
            try group.barrier()
            let before = test.broker.snapshot().memoryBytes
            for i in 0..<3_000 { try publisher.send(pub("a.\(i).x", "m")) }
            try publisher.barrier()
            #expect(eventually { test.broker.snapshot().messagesOut == 3_000 })
            #expect(test.broker.snapshot().memoryBytes - before < 8 << 20)
        }
    }
}
