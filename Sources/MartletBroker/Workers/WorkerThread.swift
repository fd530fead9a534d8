import Synchronization

/// A worker and its thread, for several owners: each has a ring of jobs to it and a ring of results
/// from it, so that neither waits for the other.
///
/// SAFETY: the worker belongs to the thread that runs `run()`; rings have one thread at each end.
@safe
final class WorkerThread<Work: Worker, Owner: Wakeable>: @unchecked Sendable {
    private let worker: Work
    private let owners: [Owner]
    private let jobs: [StablePointer<JobRing<Work.Job>>]
    private let results: [StablePointer<JobRing<Work.Job>>]
    private let jobsMax: Int
    private let wakeup: ThreadWakeup
    private let mustStop = Atomic<Bool>(false)

    /// Jobs carried out for one owner before the others are looked at.
    private static var jobsAtOnce: Int { 16 }

    init(_ worker: Work, owners: [Owner], jobsMax: Int) throws(SystemFailure) {
        wakeup = try ThreadWakeup()
        self.worker = worker
        self.owners = owners
        self.jobsMax = jobsMax
        let capacity = jobsMax + WorkerLink<Work.Job>.jobsOverMax
        jobs = owners.map { _ in StablePointer(allocating: JobRing(capacity: capacity)) }
        results = owners.map { _ in StablePointer(allocating: JobRing(capacity: capacity)) }
    }

    deinit {
        for ring in jobs + results { ring.destroy() }
    }

    func link(ofOwner index: Int) -> WorkerLink<Work.Job> {
        unsafe WorkerLink(
            jobs: jobs[index], results: results[index], wakeup: .passUnretained(wakeup),
            jobsMax: jobsMax)
    }

    /// The thread's life.
    func run() {
        while !mustStop.load(ordering: .relaxed) {
            wakeup.wait()
            while carryOutSome() {}
        }
    }

    /// The thread returns soon; what is in the rings stays there.
    func stop() {
        mustStop.store(true, ordering: .relaxed)
        wakeup.wake()
    }

    /// Whether there was anything to do.
    private func carryOutSome() -> Bool {
        var isBusy = false
        for owner in owners.indices {
            for _ in 0..<Self.jobsAtOnce {
                guard !mustStop.load(ordering: .relaxed), var job = jobs[owner].pointee.pop()
                else { break }
                isBusy = true
                worker.carryOut(&job)
                // A ring of results holds as much as that of jobs, and links count what is out.
                let isTaken = results[owner].pointee.push(job)
                precondition(isTaken, "more jobs are out than a ring holds")
                owners[owner].wake()
            }
        }
        return isBusy
    }
}
