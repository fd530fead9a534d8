import Testing

@testable import MartletMonitor

@Suite("The endpoints of monitoring")
struct MonitorEndpointTests {
    @Test("have a path and a system name of their own each")
    func names() {
        let paths = MonitorEndpoint.all.flatMap { [$0.path, $0.otherPath].compactMap { $0 } }
        #expect(Set(paths).count == paths.count)
        #expect(paths.allSatisfy { MonitorEndpoint.at($0) != nil })
        #expect(MonitorEndpoint.at("/nothing") == nil)
        let names = MonitorEndpoint.all.compactMap(\.systemName)
        #expect(names == ["RULESZ"])
    }

    @Test(
        "of nats-server that are not there are not found",
        arguments: [
            "accstatz", "accountz", "stacksz", "ipqueuesz", "debug/vars", "routez", "gatewayz",
            "leafz", "jsz",
        ])
    func absent(name: String) {
        #expect(MonitorEndpoint.at("/\(name)") == nil)
    }

    @Test("answer system requests with documents alone")
    func systemDocuments() {
        for endpoint in MonitorEndpoint.all where endpoint.systemName != nil {
            guard case .document = endpoint.answer else {
                Issue.record("\(endpoint.path) is no document")
                continue
            }
        }
    }

    @Test("are listed on the index page in their order, under the configured prefix")
    func index() {
        let html = IndexPage.html(basePath: "/base", serverName: "a<b")
        let links = html.split(separator: "\n").map(String.init).filter { $0.hasPrefix("<li>") }
        #expect(
            links
                == ["varz", "connz", "subsz", "rulesz", "metrics", "healthz"].map {
                    "<li><a href=\"/base/\($0)\">\($0)</a></li>"
                })
        #expect(html.contains("<p>a&lt;b</p>"))
    }
}
