import Foundation
import MartletBroker
import Synchronization

/// Waits until a condition holds; false if it does not within some seconds.
public func eventually(_ seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try !condition() {
        guard ContinuousClock.now < deadline else { return false }
        Thread.sleep(forTimeInterval: 0.005)
    }
    return true
}

/// The same in a task, whose thread others may need for the condition to come about.
public func becomesTrue(
    _ seconds: Double = 10, isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try await !condition() {
        guard ContinuousClock.now < deadline else { return false }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return true
}

/// Runs `body` on `count` threads of their own at the same time, and throws the first error there was.
public func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
    let group = DispatchGroup()
    let failure = Guarded<(any Error)?>(nil)
    for i in 0..<count {
        group.enter()
        Thread.detachNewThread {
            do {
                try body(i)
            } catch {
                failure.withLock { if $0 == nil { $0 = error } }
            }
            group.leave()
        }
    }
    group.wait()
    if let error = failure.withLock({ $0 }) { throw ThreadFailure(error: error) }
}

/// Runs `body` on `count` threads, and `other` on more of them, again and again until all of those have
/// ended.
public func onThreads(
    _ count: Int, _ body: @escaping @Sendable (Int) throws -> Void,
    meanwhile others: Int, _ other: @escaping @Sendable (Int) throws -> Void
) throws {
    let running = Atomic<Int>(count)
    try onThreads(count + others) { i in
        if i < count {
            defer { running.wrappingSubtract(1, ordering: .relaxed) }
            try body(i)
        } else {
            repeat { try other(i - count) } while running.load(ordering: .relaxed) > 0
        }
    }
}

/// An error of one of several threads. The test that started them is not known there, so a failed
/// requirement has to be reported again.
public struct ThreadFailure: Error {
    public let error: any Error
}

/// Runs blocking work on a thread of its own: the pool's few threads have to stay free for the
/// handlers that it waits for.
public func onThread(_ body: @escaping @Sendable () throws -> Void) async throws {
    // Still the test's task, so that what fails there is known to be its failure.
    try await withTaskExecutorPreference(ThreadExecutor()) { try body() }
}

/// A thread for each piece of a task.
private final class ThreadExecutor: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        Thread.detachNewThread { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
