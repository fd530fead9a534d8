import CMartletSystem
import Glibc

/// A native thread that runs one closure and can be joined.
///
/// SAFETY: `thread` is written in `init`, before another thread can see the value, and in `join`,
/// which its owner calls once.
@safe
package final class NativeThread: @unchecked Sendable {
    private var thread: pthread_t?

    private final class Body {
        let name: String
        let run: @Sendable () -> Void
        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// - Parameter stackBytes: 0 takes the system's default, 8 MiB as a rule.
    package init(
        name: String, stackBytes: Int = 0, _ run: @escaping @Sendable () -> Void
    ) throws(SystemFailure) {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        if stackBytes > 0 { unsafe pthread_attr_setstacksize(&attributes, stackBytes) }
        let body = unsafe Unmanaged.passRetained(Body(name: name, run: run))
        var created = pthread_t()
        let status = unsafe pthread_create(
            &created, &attributes,
            { argument in
                let body = unsafe Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue()
                unsafe pthread_setname_np(pthread_self(), body.name)
                body.run()
                return nil
            }, unsafe body.toOpaque())
        guard status == 0 else {
            unsafe body.release()
            throw SystemFailure("pthread_create", code: status)
        }
        thread = created
    }

    deinit {
        if let thread { pthread_detach(thread) }
    }

    /// Waits until the closure has returned.
    package func join() {
        guard let running = thread else { return }
        thread = nil
        pthread_join(running, nil)
    }
}
