import FoundationEssentials
import MartletBroker

/// Which servers a system request is for, as its payload says: all when it is empty. Of names and hosts
/// a part is enough, unless `exact_match` asks for the whole.
struct SystemRequestFilter: Decodable {
    private var name: String?
    private var host: String?
    private var isExact: Bool?
    private var tags: [String]?
    /// A server on its own is in neither.
    private var cluster: String?
    private var domain: String?

    enum CodingKeys: String, CodingKey {
        case name = "server_name"
        case host, tags, cluster, domain
        case isExact = "exact_match"
    }

    /// Throws for a payload that is neither empty nor a JSON object.
    init(_ payload: [UInt8]) throws {
        self.init()
        if payload.isEmpty { return }
        do {
            self = try JSONDecoder().decode(Self.self, from: Data(payload))
        } catch {
            throw QueryFailure(message: "the request's payload is not a JSON object with a filter")
        }
    }

    private init() {}

    func fits(_ broker: Broker) -> Bool {
        let snapshot = broker.snapshot()
        let hasTags = (tags ?? []).allSatisfy(broker.configuration.serverTags.contains)
        return hasTags && fits(name, snapshot.serverName) && fits(host, snapshot.host)
            && (cluster ?? "").isEmpty && (domain ?? "").isEmpty
    }

    private func fits(_ wanted: String?, _ value: String) -> Bool {
        guard let wanted, !wanted.isEmpty else { return true }
        return isExact == true ? value == wanted : value.contains(wanted)
    }
}
