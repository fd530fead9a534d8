/// The fields of INFO, as a single nats-server sends them.
struct ServerInfo {
    var serverID = ""
    var serverName = ""
    var version = ""
    var host = ""
    var port = 0
    var hasHeaders = true
    var requiresAuthentication = false
    var payloadBytesMax = 0
    var isLameDuck = false

    // What differs by client.
    var clientID: UInt64 = 0
    var clientIP = ""
    /// Set in the INFO that follows a client's first PONG.
    var isConnectInfo = false
    var remoteAccount = ""
    var isSystemAccount = false

    static let protocolLevel = 1
    /// The JetStream API level of the compatible nats-server, which clients read as a feature level.
    static let apiLevel = 4

    var json: String {
        var fields = [
            "\"server_id\":\(Self.quoted(serverID))",
            "\"server_name\":\(Self.quoted(serverName))",
            "\"version\":\(Self.quoted(version))",
            "\"proto\":\(Self.protocolLevel)",
            "\"git_commit\":\"martlet\"",
            "\"go\":\"none\"",
            "\"host\":\(Self.quoted(host))",
            "\"port\":\(port)",
            "\"headers\":\(hasHeaders)",
        ]
        if requiresAuthentication { fields.append("\"auth_required\":true") }
        fields.append("\"max_payload\":\(payloadBytesMax)")
        fields.append("\"client_id\":\(clientID)")
        fields.append("\"client_ip\":\(Self.quoted(clientIP))")
        if isLameDuck { fields.append("\"ldm\":true") }
        if isConnectInfo {
            fields.append("\"connect_info\":true")
            fields.append("\"remote_account\":\(Self.quoted(remoteAccount))")
            if isSystemAccount { fields.append("\"acc_is_sys\":true") }
        }
        fields.append("\"api_lvl\":\(Self.apiLevel)")
        return "{\(fields.joined(separator: ","))}"
    }

    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..<" ":
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
