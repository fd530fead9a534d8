/// What a worker's thread does with each job. A worker belongs to one thread.
protocol Worker: AnyObject, SendableMetatype {
    /// A plain value: whatever it refers to is held by who submits it, until it is back.
    associatedtype Job: BitwiseCopyable

    /// Does the job, and leaves in it what came of it.
    func carryOut(_ job: inout Job)
}

/// A thread that sleeps until there is something to do for it.
protocol Wakeable: AnyObject, Sendable {
    func wake()
}
