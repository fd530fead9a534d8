import Synchronization
import Testing

@testable import MartletBroker

@Suite struct MailboxTests {
    private final class Progress: Sendable {
        let read = Atomic<Int>(0)
    }

    /// A letter that is posted while the owner goes to sleep wakes it. The poster waits for each letter to
    /// be read, so every round has the owner at the edge of sleep; without the wake-up it sleeps for ever.
    @Test func noWakeUpIsLost() throws {
        let rounds = 1_000_000
        let poller = try Poller()
        let mail = try Mailbox<Int>()
        try mail.attach(to: poller)
        let progress = Progress()
        let poster = try NativeThread(name: "poster") {
            for i in 1...rounds {
                mail.post(i)
                // A few letters may be under way, so that posting meets every step of going to sleep.
                while progress.read.load(ordering: .acquiring) < i - i % 4 {}
            }
        }
        var read = 0
        var isLost = false
        while read < rounds, !isLost {
            if mail.prepareToSleep() {
                // Far longer than a wake-up takes, even on a busy machine: coming here is a lost one.
                poller.wait(timeoutMilliseconds: 20_000)
                mail.awake()
                if !poller.hasEvents, !mail.hasMail { isLost = true }
                if poller.hasEvents { mail.drainWakeup() }
            }
            mail.acknowledge()
            for letter in mail.collect() {
                #expect(letter == read + 1)
                read = letter
            }
            progress.read.store(read, ordering: .releasing)
        }
        progress.read.store(.max, ordering: .releasing)
        poster.join()
        #expect(!isLost && read == rounds, "after \(read) letters")
        poller.destroy()
    }

    @Test func lettersComeInOrderAndOnce() throws {
        let poller = try Poller()
        let mail = try Mailbox<Int>()
        try mail.attach(to: poller)
        #expect(!mail.hasMail && mail.collect().isEmpty)
        for i in 0..<5 { mail.post(i) }
        #expect(mail.hasMail && !mail.prepareToSleep())
        mail.acknowledge()
        #expect(mail.collect() == [0, 1, 2, 3, 4])
        #expect(!mail.hasMail && mail.collect().isEmpty)
        #expect(mail.prepareToSleep())
        mail.wake()
        // The owner said that it sleeps, so the wakeup reaches its poller.
        poller.wait(timeoutMilliseconds: 0)
        #expect(poller.takeEvent()?.token == Mailbox<Int>.token && !poller.hasEvents)
        mail.awake()
        poller.destroy()
    }
}
