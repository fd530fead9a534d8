import Foundation
import MartletBroker

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

/// An error of one of several threads. The test that started them is not known there, so a failed
/// requirement has to be reported again.
public struct ThreadFailure: Error {
    public let error: any Error
}

/// Waits until a condition holds; false if it does not within some seconds.
public func eventually(_ seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try !condition() {
        guard ContinuousClock.now < deadline else { return false }
        Thread.sleep(forTimeInterval: 0.005)
    }
    return true
}
