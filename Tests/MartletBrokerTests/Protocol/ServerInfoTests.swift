import Foundation
import Testing

@testable import MartletBroker

@Suite struct ServerInfoTests {
    private func fields(_ info: ServerInfo) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(info.json.utf8))
        return try #require(object as? [String: Any])
    }

    @Test func isJSONWithTheFieldsClientsRead() throws {
        var info = ServerInfo()
        info.serverID = "NABC"
        info.host = "::1"
        info.port = 4_222
        info.payloadBytesMax = 1_048_576
        info.clientID = 7
        info.clientIP = "127.0.0.1"
        let fields = try fields(info)
        #expect(fields["server_id"] as? String == "NABC")
        #expect(fields["host"] as? String == "::1" && fields["port"] as? Int == 4_222)
        #expect(fields["proto"] as? Int == 1 && fields["headers"] as? Bool == true)
        #expect(fields["max_payload"] as? Int == 1_048_576)
        #expect(fields["client_id"] as? Int == 7 && fields["client_ip"] as? String == "127.0.0.1")
        for absent in ["auth_required", "ldm", "connect_info", "remote_account"] {
            #expect(fields[absent] == nil)
        }
    }

    @Test func whatIsSetIsSaid() throws {
        var info = ServerInfo()
        info.requiresAuthentication = true
        info.isLameDuck = true
        info.isConnectInfo = true
        info.remoteAccount = "$G"
        let fields = try fields(info)
        for present in ["auth_required", "ldm", "connect_info"] {
            #expect(fields[present] as? Bool == true)
        }
        #expect(fields["remote_account"] as? String == "$G")
    }

    @Test(arguments: [
        "plain", "with \"quotes\"", "back\\slash", "line\nfeed\r\t", "\u{0}\u{1f}", "é😀", "\r\n",
        "\u{7f}",
    ])
    func textIsQuotedSoThatItComesBack(_ text: String) throws {
        var info = ServerInfo()
        info.serverName = text
        #expect(try fields(info)["server_name"] as? String == text)
        #expect(!info.json.utf8.contains(10), "INFO is one line")
    }
}
