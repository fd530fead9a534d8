import Foundation
import Logging
import MartletBroker
import MartletRules
import MartletTestSupport
import Testing

@testable import MartletMonitor

/// A running broker with its monitoring, and one client that has subscribed and published.
private struct Setup {
    let broker: TestBroker
    let monitor: Monitor
    let httpPort: Int
    let client: RawClient

    init(_ change: (inout BrokerConfiguration) -> Void = { _ in }) throws {
        broker = try TestBroker {
            $0.serverName = "nm"
            change(&$0)
        }
        monitor = Monitor(broker: broker.broker, logger: .silent)
        httpPort = try monitor.start(host: "127.0.0.1", port: -1)
        client = try broker.rawClient()
        try client.send(
            "CONNECT {\"verbose\":false,\"name\":\"alpha\",\"lang\":\"test\",\"version\":\"1.2\","
                + "\"headers\":true}\r\n"
                + "SUB foo.* q 1\r\nSUB bar 2\r\nPUB bar 2\r\nhi\r\nPING\r\n")
        try #require(client.read(until: "PONG\r\n").contains("MSG bar 2 2\r\nhi\r\n"))
    }

    func stop() { monitor.stop() }

    func get(_ target: String, method: String = "GET") throws -> HTTPAnswer {
        try .to(target, port: httpPort, method: method)
    }

    func json(_ target: String) throws -> [String: Any] {
        let answer = try get(target)
        #expect(answer.status == 200, "\(answer.body)")
        #expect(answer.fields["content-type"] == "application/json")
        let value = try JSONSerialization.jsonObject(with: Data(answer.body.utf8))
        return try #require(value as? [String: Any])
    }
}

@Suite("Monitoring of a running broker", .serialized, .timeLimit(.minutes(isSanitized ? 10 : 1)))
struct MonitorTests {
    @Test("/rulesz and /metrics show what rules counted")
    func rules() async throws {
        try await onThread {
            let setup = try Setup {
                var rules = RulesConfiguration()
                var rule = RuleDefinition(name: "json", subject: "checked")
                rule.validation = .json
                rule.deadLetter = "bar"
                rules.definition.rules = [rule]
                $0.rules = rules
            }
            defer { setup.stop() }
            // One dead letter comes, the next one finds nobody any more.
            try setup.client.send(pub("checked", "{}") + pub("checked", "{]") + "UNSUB 2\r\n")
            try setup.client.send(pub("checked", "{]"))
            try setup.client.barrier()
            let rulesz = try setup.json("/rulesz")
            let rules = try #require(rulesz["rules"] as? [[String: Any]])
            #expect(rules.count == 1 && rules[0]["name"] as? String == "json")
            #expect(rules[0]["matched"] as? Int == 3 && rules[0]["bytes"] as? Int == 6)
            let codes = rules[0]["invalid_by_code"] as? [String: Int]
            #expect(codes == ["400": 2, "413": 0, "422": 0])
            #expect(rules[0]["dead_lettered"] as? Int == 1)
            #expect(rules[0]["dead_letter_dropped"] as? Int == 1)
            #expect(rules[0]["dead_letter_lost"] as? Int == 0)
            let results = try #require(rules[0]["results"] as? [String: Int])
            #expect(results["passed"] == 1 && results["invalid"] == 2)
            let failures = try #require(rules[0]["last_failures"] as? [[String: Any]])
            #expect(failures.first?["subject"] as? String == "checked")
            #expect(failures.first?["code"] as? Int == 400)
            let metrics = try setup.get("/metrics").body
            #expect(try PrometheusText(metrics).types["nats_rule_seconds"] == "histogram")
            let label = "rule=\"json\",mode=\"enforce\""
            #expect(metrics.contains("nats_rule_messages_total{\(label),result=\"passed\"} 1\n"))
            #expect(metrics.contains("nats_rule_invalid_total{\(label),code=\"400\"} 2\n"))
            #expect(metrics.contains("nats_rule_seconds_count{\(label)} 3\n"))
            #expect(metrics.contains("nats_rule_seconds_bucket{\(label),le=\"+Inf\"} 3\n"))
            #expect(metrics.contains("nats_rule_bytes_total{\(label)} 6\n"))
            #expect(metrics.contains("nats_rule_dead_letters_total{\(label)} 1\n"))
            #expect(metrics.contains("nats_rule_dead_letters_dropped_total{\(label)} 1\n"))
            #expect(metrics.contains("nats_rule_dead_letters_lost_total{\(label)} 0\n"))
        }
    }

    @Test("/metrics has what an operator watches, in the text format of Prometheus")
    func brokerMetrics() async throws {
        try await onThread {
            let setup = try Setup { $0.limits.publishedMessagesPerSecondMax = 10 }
            defer { setup.stop() }
            try setup.client.send(String(repeating: pub("bar", "x"), count: 1_000))
            #expect(
                eventually { setup.broker.broker.snapshot().pausedConnections[.rate] == 1 })
            let answer = try setup.get("/metrics")
            #expect(answer.fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            let metrics = try PrometheusText(answer.body)
            for reason in PauseReason.allCases {
                let name = "nats_paused_connections{reason=\"\(reason.rawValue)\"}"
                #expect(metrics.values[name] == (reason == .rate ? 1 : 0), "\(name)")
            }
            let limit = setup.broker.broker.configuration.limits.memoryBytesMax
            #expect(metrics.values["nats_max_memory_bytes"] == Double(limit))
            #expect(try #require(metrics.values["nats_memory_bytes"]) > 0)
            let minute = metrics.values["nats_longest_turn_seconds{window=\"1m\"}"] ?? 0
            let tenSeconds = metrics.values["nats_longest_turn_seconds{window=\"10s\"}"] ?? 0
            #expect(tenSeconds > 0 && minute >= tenSeconds && minute < 60)
            #expect(
                metrics.types == [
                    "nats_paused_connections": "gauge", "nats_dropped_messages_total": "counter",
                    "nats_memory_bytes": "gauge", "nats_max_memory_bytes": "gauge",
                    "nats_longest_turn_seconds": "gauge", "nats_stalls_total": "counter",
                    "nats_standstills_total": "counter",
                    "nats_standstill_seconds_total": "counter",
                ])
            // A publisher that waits is no reason to restart the server.
            #expect(try setup.get("/healthz").status == 200)
        }
    }

    @Test("/connz shows pages by id, and the one connection that is asked for")
    func connzPages() async throws {
        try await onThread {
            let setup = try Setup()
            defer { setup.stop() }
            let others = try (0..<9).map { _ in try setup.broker.rawClient() }
            for client in others {
                try client.connect()
                try client.barrier()
            }
            func ids(_ query: String) throws -> [Int] {
                let connz = try setup.json("/connz?\(query)")
                #expect(connz["total"] as? Int == 10)
                let connections = try #require(connz["connections"] as? [[String: Any]])
                #expect(connz["num_connections"] as? Int == connections.count)
                return connections.compactMap { $0["cid"] as? Int }
            }
            #expect(try ids("limit=1") == [1])
            #expect(try ids("limit=4&offset=3&sort=start") == [4, 5, 6, 7])
            #expect(try ids("offset=8&limit=4&subs=1") == [9, 10])
            #expect(try ids("offset=10") == [])
            #expect(try ids("cid=6") == [6])
            #expect(try ids("cid=66") == [])
            #expect(try ids("sort=subs&limit=1") == [1])
        }
    }

    @Test("/varz has nats-server's keys and counts")
    func varz() async throws {
        try await onThread {
            let setup = try Setup()
            defer { setup.stop() }
            let varz = try setup.json("/varz")
            let keys = """
                server_id server_name version proto host port max_connections ping_interval ping_max
                http_host http_port http_base_path https_port auth_timeout max_control_line
                max_payload max_pending cluster gateway leaf mqtt websocket jetstream tls_timeout
                write_deadline start now uptime mem cores gomaxprocs cpu connections
                total_connections routes remotes leafnodes in_msgs in_bytes in_client_msgs
                in_client_bytes out_msgs out_bytes out_client_msgs out_client_bytes slow_consumers
                stale_connections stalled_clients subscriptions http_req_stats config_load_time
                config_digest slow_consumer_stats stale_connection_stats martlet
                """
            let expected = Set(keys.split { $0.isWhitespace }.map(String.init))
            #expect(Set(varz.keys) == expected)
            #expect(varz["server_name"] as? String == "nm")
            #expect(varz["port"] as? Int == setup.broker.broker.clientPort)
            #expect(varz["http_port"] as? Int == setup.httpPort)
            #expect(varz["connections"] as? Int == 1)
            #expect(varz["total_connections"] as? Int == 1)
            #expect(varz["subscriptions"] as? Int == 2)
            #expect(varz["in_msgs"] as? Int == 1 && varz["out_msgs"] as? Int == 1)
            #expect(varz["in_bytes"] as? Int == 2 && varz["out_bytes"] as? Int == 2)
            #expect(varz["ping_interval"] as? Int == 120_000_000_000)
            #expect(varz["auth_timeout"] as? Double == 2)
            #expect(try #require(varz["mem"] as? Int) > 1_000_000)
            let start = try #require(varz["start"] as? String)
            #expect(start.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z/) != nil)
            let own = try #require(varz["martlet"] as? [String: Any])
            let ownKeys = [
                "loops", "longest_turn_ns", "stalls", "dropped_messages", "paused_publishers",
                "memory_bytes", "max_memory", "turns_by_log2_us", "allocations", "last_allocation",
                "turn_clock",
            ]
            #expect(Set(ownKeys).isSubset(of: own.keys))
            let second = try setup.json("/varz")
            #expect((second["http_req_stats"] as? [String: Int])?["/varz"] == 2)
        }
    }

    @Test("/connz shows an open connection, and a closed one with its reason")
    func connz() async throws {
        try await onThread {
            let setup = try Setup()
            defer { setup.stop() }
            let page = try setup.json("/connz?subs=1")
            #expect(page["total"] as? Int == 1 && page["num_connections"] as? Int == 1)
            let connection = try #require((page["connections"] as? [[String: Any]])?.first)
            #expect(connection["name"] as? String == "alpha")
            #expect(connection["lang"] as? String == "test")
            #expect(connection["version"] as? String == "1.2")
            #expect(connection["ip"] as? String == "127.0.0.1")
            #expect(connection["in_msgs"] as? Int == 1 && connection["out_bytes"] as? Int == 2)
            #expect(connection["subscriptions"] as? Int == 2)
            #expect((connection["subscriptions_list"] as? [String])?.sorted() == ["bar", "foo.*"])
            let detail = try setup.json("/connz?subs=detail")
            let list =
                (detail["connections"] as? [[String: Any]])?.first?["subscriptions_list_detail"]
                as? [[String: Any]] ?? []
            let queue = list.first { $0["subject"] as? String == "foo.*" }
            #expect(queue?["qgroup"] as? String == "q" && queue?["sid"] as? String == "1")
            setup.client.close()
            func closedOnes() throws -> [[String: Any]] {
                try #require(
                    try setup.json("/connz?state=closed")["connections"] as? [[String: Any]])
            }
            #expect(try eventually { try !closedOnes().isEmpty })
            let closed = try #require(try closedOnes().first)
            #expect(closed["reason"] as? String == "Client Closed")
            #expect(closed["stop"] is String)
            #expect(try setup.json("/connz")["num_connections"] as? Int == 0)
            #expect(try setup.json("/connz?state=any")["total"] as? Int == 1)
        }
    }

    @Test("/connz filters, sorts and pages")
    func connzQuery() async throws {
        try await onThread {
            let setup = try Setup()
            defer { setup.stop() }
            let other = try setup.broker.rawClient()
            try other.send("CONNECT {\"name\":\"beta\"}\r\nSUB a 1\r\nPING\r\n")
            _ = try other.read(until: "PONG\r\n")
            func names(_ query: String) throws -> [String] {
                let list = try #require(
                    try setup.json("/connz?\(query)")["connections"] as? [[String: Any]])
                return list.map { $0["name"] as? String ?? "" }
            }
            #expect(try names("sort=cid") == ["alpha", "beta"])
            #expect(try names("sort=subs") == ["alpha", "beta"])
            #expect(try names("sort=uptime") == ["beta", "alpha"])
            #expect(try names("offset=1") == ["beta"])
            #expect(try names("limit=1") == ["alpha"])
            #expect(try names("offset=9").isEmpty)
            #expect(try names("filter_subject=foo.x") == ["alpha"])
            #expect(try names("filter_subject=a&acc=$G") == ["beta"])
            #expect(try names("user=nobody").isEmpty)
            #expect(try names("acc=nobody").isEmpty)
            #expect(try names("cid=999999").isEmpty)
            let answer = try setup.get("/connz?sort=zz")
            #expect(answer.status == 400 && answer.body == "invalid sorting option: zz")
            #expect(answer.fields["content-type"] == "text/plain; charset=utf-8")
        }
    }

    @Test("/subsz counts, lists and tests subscriptions")
    func subsz() async throws {
        try await onThread {
            let setup = try Setup()
            defer { setup.stop() }
            let plain = try setup.json("/subscriptionsz")
            #expect(plain["num_subscriptions"] as? Int == 2)
            #expect(plain["total"] as? Int == 0 && plain["subscriptions_list"] == nil)
            for key in [
                "num_cache", "num_inserts", "num_removes", "num_matches", "cache_hit_rate",
                "max_fanout", "avg_fanout", "offset", "limit", "server_id", "now",
            ] { #expect(plain[key] != nil, "\(key)") }
            let listed = try setup.json("/subsz?subs=1&test=foo.a")
            let list = listed["subscriptions_list"] as? [[String: Any]] ?? []
            #expect(listed["total"] as? Int == 1 && list.count == 1)
            #expect(list.first?["account"] as? String == "$G")
            #expect(list.first?["subject"] as? String == "foo.*")
            let bad = try setup.get("/subsz?test=foo.*")
            #expect(bad.status == 400)
            #expect(bad.body == "invalid test subject, must be valid publish subject: foo.*")
        }
    }

    @Test("health, index, unknown paths, methods and callbacks")
    func rest() async throws {
        try await onThread {
            let setup = try Setup()
            defer { setup.stop() }
            #expect(try setup.get("/healthz").body == #"{"status":"ok"}"#)
            #expect(try setup.get("/").body.contains("href=\"/varz\""))
            let missing = try setup.get("/nope")
            #expect(missing.status == 404 && missing.body == "404 page not found\n")
            let post = try setup.get("/varz", method: "POST")
            #expect(post.status == 405 && post.fields["allow"] == "GET, HEAD")
            let script = try setup.get("/healthz?callback=a.b")
            #expect(script.body == #"a.b({"status":"ok"})"#)
            #expect(script.fields["content-type"] == "application/javascript")
            #expect(try setup.get("/healthz?callback=alert(1)").status == 400)
        }
    }

    @Test("health fails in lame duck mode, as nats-server's does")
    func lameDuck() async throws {
        try await onThread {
            let setup = try Setup {
                $0.lameDuck.gracePeriodNanoseconds = 20_000_000_000
                $0.lameDuck.durationNanoseconds = 30_000_000_000
            }
            defer { setup.stop() }
            setup.broker.broker.enterLameDuck()
            let answer = try setup.get("/healthz")
            let text = "failed to be ready for connections after 1ms: server"
            #expect(answer.status == 500)
            #expect(answer.body == #"{"error":"\#(text)","status":"error"}"#)
            #expect(
                try setup.get("/healthz?details=true").body
                    == #"{"errors":[{"error":"\#(text)","type":"CONNECTION"}],"status":"error"}"#)
        }
    }

    @Test("/subsz?acc= counts the subscriptions of that account")
    func subscriptionsOfAccount() async throws {
        try await onThread {
            let setup = try Setup {
                $0.accounts = ["A"]
                $0.authorization.users = [.init(name: "ann", password: "ann", account: "A")]
                $0.authorization.admitsWithoutCredentials = true
            }
            defer { setup.stop() }
            let other = try setup.broker.subscriber("SUB x 1", options: ClientOptions(user: "ann"))
            #expect(try setup.json("/subsz")["num_subscriptions"] as? Int == 3)
            let ofA = try setup.json("/subsz?acc=A&subs=1")
            #expect(ofA["num_subscriptions"] as? Int == 1 && ofA["num_inserts"] as? Int == 1)
            #expect(ofA["total"] as? Int == 1)
            #expect(try setup.json("/subsz?acc=$G")["num_subscriptions"] as? Int == 2)
            #expect(try setup.json("/subsz?acc=none")["num_subscriptions"] as? Int == 0)
            other.close()
        }
    }

    @Test("everything stands below http_base_path")
    func basePath() async throws {
        try await onThread {
            let setup = try Setup { $0.monitoring.basePath = "nats/" }
            defer { setup.stop() }
            #expect(try setup.json("/nats/varz")["http_base_path"] as? String == "nats/")
            #expect(try setup.get("/nats/").body.contains("href=\"/nats/varz\""))
            #expect(try setup.get("/varz").status == 404)
            #expect(try setup.get("/natsvarz").status == 404)
        }
    }
}
