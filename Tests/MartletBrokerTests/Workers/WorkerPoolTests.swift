import Glibc
import MartletTestSupport
import Synchronization
import Testing

@testable import MartletBroker

@Suite("Workers", .timeLimit(.minutes(2)))
struct WorkerPoolTests {
    struct Job: BitwiseCopyable {
        var owner = 0
        var key: UInt64 = 0
        var number = 0
        var square = 0
    }

    /// Squares numbers, and stops at each while its gate is shut.
    final class Squaring: Worker {
        private let gate: Gate?

        init(gate: Gate? = nil) { self.gate = gate }

        func carryOut(_ job: inout Job) {
            gate?.pass()
            job.square = job.number &* job.number
        }
    }

    final class Gate: Sendable {
        private let isOpen = Atomic<Bool>(false)
        let arrivals = Atomic<Int>(0)

        func open() { isOpen.store(true, ordering: .releasing) }

        func pass() {
            arrivals.wrappingAdd(1, ordering: .releasing)
            while !isOpen.load(ordering: .acquiring) { usleep(100) }
        }
    }

    private static func pool(
        workers: Int, owners: [ThreadWakeup], jobsMax: Int, gate: Gate? = nil
    ) throws -> WorkerPool<Squaring, ThreadWakeup> {
        try WorkerPool(
            name: "test", workers: (0..<workers).map { _ in Squaring(gate: gate) }, owners: owners,
            jobsMax: jobsMax)
    }

    /// What one owner does: submits so many jobs under random keys, waits where a worker is full, and
    /// takes results as they come. Returns what is not as it should be.
    private static func submitAll(
        _ total: Int, of owner: Int, keys: UInt64, through links: WorkerLinks<Job>,
        awaiting wakeup: ThreadWakeup, seed: UInt64
    ) -> [String] {
        var random = SeededRandom(seed: seed)
        var wrong: [String] = []
        var lastOfKey: [UInt64: Int] = [:]
        var back = 0
        func takeResults() {
            var results = links.results(atMostOfEach: 64)
            while let job = results.next() {
                back += 1
                if job.owner != owner { wrong.append("\(owner) got a result of \(job.owner)") }
                if job.square != job.number * job.number { wrong.append("\(job) is not done") }
                if job.number <= lastOfKey[job.key] ?? -1 { wrong.append("\(job) is out of order") }
                lastOfKey[job.key] = job.number
            }
            if results.hasMore { wakeup.wake() }
        }
        for number in 0..<total {
            let key = UInt64(random.below(Int(keys)))
            let link = links.link(for: key)
            while link.pointee.isFull {
                wakeup.wait()
                takeResults()
            }
            link.pointee.submit(Job(owner: owner, key: key, number: number))
        }
        while back < total {
            wakeup.wait()
            takeResults()
        }
        if let job = links.takeLeftover() { wrong.append("\(job) is left over") }
        return wrong
    }

    @Test(
        "bring jobs of one key back in order, with many owners and workers", arguments: testSeeds(3)
    )
    func keepOrder(seed: UInt64) throws {
        let owners = try (0..<4).map { _ in try ThreadWakeup() }
        let pool = try Self.pool(workers: 3, owners: owners, jobsMax: 32)
        try pool.start()
        let wrong = Guarded<[String]>([])
        let threads = try owners.indices.map { owner in
            try NativeThread(name: "owner") {
                let links = pool.links(ofOwner: owner)
                let found = Self.submitAll(
                    20_000, of: owner, keys: 10, through: links, awaiting: owners[owner],
                    seed: seed &+ UInt64(owner))
                links.destroy()
                wrong.withLock { $0 += found }
            }
        }
        for thread in threads { thread.join() }
        pool.stop()
        #expect(wrong.withLock { $0 } == [], "seed \(seed)")
    }

    @Test("make their owner wait once they have as many jobs as they may, and not before")
    func fullRing() throws {
        let gate = Gate()
        let owner = try ThreadWakeup()
        // No power of two: the limit is the one that was asked for, not the size of the ring.
        let pool = try Self.pool(workers: 1, owners: [owner], jobsMax: 5, gate: gate)
        let links = pool.links(ofOwner: 0)
        defer { links.destroy() }
        try pool.start()
        for number in 0..<5 {
            #expect(!links.link(for: 7).pointee.isFull)
            links.link(for: 7).pointee.submit(Job(number: number))
        }
        #expect(links.link(for: 7).pointee.isFull)
        gate.open()
        var back: [Int] = []
        while back.count < 5 {
            owner.wait()
            var results = links.results(atMostOfEach: 2)
            while let job = results.next() { back.append(job.square) }
            if results.hasMore { owner.wake() }
            #expect(!links.link(for: 7).pointee.isFull)
        }
        #expect(back == [0, 1, 4, 9, 16])
        pool.stop()
    }

    @Test("a full worker stands in no other's way")
    func otherWorkerHasRoom() throws {
        let gate = Gate()
        let pool = try Self.pool(
            workers: 2, owners: [ThreadWakeup()], jobsMax: 1, gate: gate)
        let links = pool.links(ofOwner: 0)
        defer { links.destroy() }
        try pool.start()
        links.link(for: 2).pointee.submit(Job(key: 2))
        #expect(links.link(for: 2).pointee.isFull && links.link(for: 4).pointee.isFull)
        #expect(!links.link(for: 3).pointee.isFull)
        gate.open()
        pool.stop()
    }

    @Test("lose no job when they stop while jobs are out")
    func stopWithJobsOut() throws {
        let gate = Gate()
        let owners = try (0..<2).map { _ in try ThreadWakeup() }
        let pool = try Self.pool(workers: 2, owners: owners, jobsMax: 100, gate: gate)
        let links = owners.indices.map { pool.links(ofOwner: $0) }
        defer { for one in links { one.destroy() } }
        try pool.start()
        for number in 0..<100 {
            for owner in owners.indices {
                links[owner].link(for: UInt64(number)).pointee.submit(
                    Job(owner: owner, number: number))
            }
        }
        while gate.arrivals.load(ordering: .acquiring) < 2 { usleep(100) }
        let stopping = try NativeThread(name: "stop") { pool.stop() }
        gate.open()
        stopping.join()
        for owner in owners.indices {
            var left: Set<Int> = []
            var doubled = 0
            while let job = links[owner].takeLeftover() {
                if job.owner != owner || !left.insert(job.number).inserted { doubled += 1 }
            }
            #expect(left == Set(0..<100) && doubled == 0)
        }
    }

    @Test("that nobody started leave every job to be taken back")
    func neverStarted() throws {
        let pool = try Self.pool(workers: 2, owners: [ThreadWakeup()], jobsMax: 4)
        let links = pool.links(ofOwner: 0)
        defer { links.destroy() }
        for key in 0..<4 { links.link(for: UInt64(key)).pointee.submit(Job(number: key)) }
        pool.stop()
        var left: [Int] = []
        while let job = links.takeLeftover() { left.append(job.number) }
        #expect(left.sorted() == [0, 1, 2, 3])
    }
}

@Suite("Jobs of a connection that are out")
struct JobsOutTests {
    @Test("have room until they are too many or too large, but one always has")
    func room() {
        var jobs = JobsOut()
        #expect(jobs.hasRoom(forBytes: JobsOut.bytesMax * 2))
        jobs.add(bytes: JobsOut.bytesMax - 1)
        #expect(jobs.hasRoom(forBytes: 1) && !jobs.hasRoom(forBytes: 2))
        jobs.remove(bytes: JobsOut.bytesMax - 1, steps: 0)
        for _ in 0..<JobsOut.countMax {
            #expect(jobs.hasRoom(forBytes: 0))
            jobs.add(bytes: 0)
        }
        #expect(!jobs.hasRoom(forBytes: 0))
    }

    @Test("let a connection go on when so many are back as it waits for")
    func waiting() {
        var jobs = JobsOut()
        for _ in 0..<4 { jobs.add(bytes: 10) }
        jobs.wait(untilOut: 2)
        #expect(!jobs.mayGoOn)
        jobs.remove(bytes: 10, steps: 0)
        #expect(!jobs.mayGoOn)
        jobs.remove(bytes: 10, steps: 0)
        #expect(jobs.mayGoOn && jobs.count == 2 && jobs.bytes == 20)
    }

    @Test("Whose documents take long has fewer of them with a worker; one always may go")
    func dearDocuments() {
        var jobs = JobsOut()
        for _ in 0..<20 {
            jobs.add(bytes: 10)
            jobs.remove(bytes: 10, steps: JobsOut.stepsMax / 2)
        }
        jobs.add(bytes: 10)
        #expect(jobs.hasRoom(forBytes: 10))
        jobs.add(bytes: 10)
        #expect(!jobs.hasRoom(forBytes: 10))
        for _ in 0..<2 { jobs.remove(bytes: 10, steps: .max / 8) }
        #expect(jobs.hasRoom(forBytes: JobsOut.bytesMax * 2))
    }
}
