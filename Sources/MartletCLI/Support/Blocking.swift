import Dispatch
import Synchronization

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

    static func result<Value: Sendable>(
        _ work: @escaping @Sendable () async throws -> Value
    ) -> Result<Value, any Error> {
        let box = Box<Value>()
        wait {
            do {
                let value = try await work()
                box.value.withLock { $0 = .success(value) }
            } catch {
                box.value.withLock { $0 = .failure(error) }
            }
        }
        return box.value.withLock { $0 } ?? .failure(CancellationError())
    }

    private final class Box<Value: Sendable>: Sendable {
        let value = Mutex<Result<Value, any Error>?>(nil)
    }
}
