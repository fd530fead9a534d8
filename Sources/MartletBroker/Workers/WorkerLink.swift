/// An owner's way to one worker and back. Jobs come back in the order in which they were submitted.
///
/// SAFETY: the owner's thread alone uses it; the pool that made it keeps rings and wakeup alive.
@safe
struct WorkerLink<Job: BitwiseCopyable>: BitwiseCopyable {
    private let jobs: StablePointer<JobRing<Job>>
    private let results: StablePointer<JobRing<Job>>
    private let wakeup: Unmanaged<ThreadWakeup>
    private let jobsMax: Int
    /// Jobs of this owner that the worker has, or has done and not been relieved of.
    private(set) var jobsOut = 0

    init(
        jobs: StablePointer<JobRing<Job>>, results: StablePointer<JobRing<Job>>,
        wakeup: Unmanaged<ThreadWakeup>, jobsMax: Int
    ) {
        self.jobs = jobs
        self.results = results
        unsafe self.wakeup = unsafe wakeup
        self.jobsMax = jobsMax
    }

    /// The owner must wait until a job is back before it submits another.
    var isFull: Bool { jobsOut >= jobsMax }

    /// Not even jobs that nobody could have waited with have room.
    var isOverfull: Bool { jobsOut >= jobsMax + Self.jobsOverMax }

    /// Of jobs that turn out to be the worker's only after their owner has begun with them.
    static var jobsOverMax: Int { 16 }

    mutating func submit(_ job: Job) {
        jobsOut &+= 1
        let isTaken = jobs.pointee.push(job)
        precondition(isTaken, "a worker's ring holds as many jobs as may be out")
        unsafe wakeup._withUnsafeGuaranteedRef { $0.wake() }
    }

    /// A job that is done; the oldest first.
    mutating func takeResult() -> Job? {
        guard let job = results.pointee.pop() else { return nil }
        jobsOut &-= 1
        return job
    }

    /// A job that the worker has not begun and, as its thread has ended, will not begin.
    mutating func takeUndone() -> Job? {
        guard let job = jobs.pointee.pop() else { return nil }
        jobsOut &-= 1
        return job
    }
}
