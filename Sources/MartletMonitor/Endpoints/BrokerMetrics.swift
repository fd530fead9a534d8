import MartletBroker

extension MonitorEndpoint {
    /// Counts and times in the text format of Prometheus
    /// (https://prometheus.io/docs/instrumenting/exposition_formats/).
    static let metrics = MonitorEndpoint(
        path: "/metrics",
        answer: .page(contentType: "text/plain; version=0.0.4; charset=utf-8") {
            BrokerMetrics.text($0.broker.snapshot())
                + RuleMetrics.text($0.broker.rulesSnapshot())
        })
}

/// The part of `/metrics` about the broker: what an operator watches.
enum BrokerMetrics {
    static func text(_ snapshot: BrokerSnapshot) -> String {
        let metrics: [String] = [
            metric(
                "nats_paused_connections", "gauge", "Connections that are not read now, by reason.",
                samples: PauseReason.allCases.map {
                    ("{reason=\"\($0.rawValue)\"}", "\(snapshot.pausedConnections[$0] ?? 0)")
                }),
            metric(
                "nats_dropped_messages_total", "counter",
                "Messages that drop_new and drop_old threw away.", "\(snapshot.droppedMessages)"),
            metric(
                "nats_memory_bytes", "gauge", "Bytes of max_memory in use.",
                "\(snapshot.memoryBytes)"),
            metric("nats_max_memory_bytes", "gauge", "max_memory.", "\(snapshot.memoryBytesMax)"),
            metric(
                "nats_longest_turn_seconds", "gauge", "The longest turn of any loop, by window.",
                samples: [
                    ("{window=\"10s\"}", seconds(snapshot.longestTurnOf10Seconds)),
                    ("{window=\"1m\"}", seconds(snapshot.longestTurnOfMinute)),
                ]),
            metric(
                "nats_stalls_total", "counter", "Turns that took longer than stall_threshold.",
                "\(snapshot.stalls)"),
            metric(
                "nats_standstills_total", "counter", "Times that the whole process stood still.",
                "\(snapshot.standstills.count)"),
            metric(
                "nats_standstill_seconds_total", "counter",
                "How long the whole process stood still.",
                seconds(snapshot.standstills.totalNanoseconds)),
        ]
        return metrics.joined()
    }

    private static func seconds(_ nanoseconds: UInt64) -> String { "\(Double(nanoseconds) / 1e9)" }

    private static func metric(
        _ name: String, _ type: String, _ help: String, _ value: String
    ) -> String {
        metric(name, type, help, samples: [("", value)])
    }

    private static func metric(
        _ name: String, _ type: String, _ help: String,
        samples: [(labels: String, value: String)]
    ) -> String {
        let lines = samples.map { "\(name)\($0.labels) \($0.value)\n" }
        return "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n" + lines.joined()
    }
}
