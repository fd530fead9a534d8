public import ServiceLifecycle

extension Broker: Service {
    /// Runs the broker as a service of swift-service-lifecycle: starts it, and returns when it has
    /// stopped. A graceful shutdown or a cancellation stops it at once, as SIGTERM does nats-server;
    /// `LameDuckBroker` lets clients move elsewhere first.
    public func run() async throws {
        try await run { $0.requestStop() }
    }

    fileprivate func run(onShutdown shutDown: @escaping @Sendable (Broker) -> Void) async throws {
        try start()
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await waitUntilStopped()
            } onGracefulShutdown: {
                shutDown(self)
            }
        } onCancel: {
            requestStop()
        }
    }

    /// Stops without blocking: closes every connection, ends the threads, and returns when that is done.
    public func shutdown() async {
        requestStop()
        await waitUntilStopped()
    }

    /// Stops on a thread of its own, because ending the loops' threads means waiting for them.
    private func requestStop() {
        let thread = try? NativeThread(name: "stop") { self.stop() }
        if thread == nil { stop() }
    }
}

/// A broker as a service that goes into lame duck mode on a graceful shutdown: it accepts no more clients,
/// tells the ones there are to go elsewhere, and closes them over `lameDuck.durationNanoseconds`. Give the
/// service group at least as long.
public struct LameDuckBroker: Service {
    /// The broker that runs.
    public let broker: Broker

    /// A service of this broker, which has not been started.
    public init(_ broker: Broker) {
        self.broker = broker
    }

    /// Starts the broker and returns when it has stopped, in lame duck mode after a graceful shutdown.
    public func run() async throws {
        try await broker.run { $0.enterLameDuck() }
    }
}
