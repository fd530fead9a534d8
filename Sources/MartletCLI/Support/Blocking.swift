import Dispatch

/// Waits on the calling thread for asynchronous work. For threads that are not of Swift's pool:
/// the main thread and the signal thread.
enum Blocking {
    static func wait(_ work: @escaping @Sendable () async -> Void) {
        let done = DispatchSemaphore(value: 0)
        Task {
            await work()
            done.signal()
        }
        done.wait()
    }
}
