/// CONNECT's fields, read the way nats-server's decoder reads them: over the values that hold, names
/// in any letter case, `null` changes nothing, the last of several wins, unknown ones are ignored.
struct ConnectOptions {
    // The values that hold before a CONNECT.
    var verbose = true
    var pedantic = true
    var echo = true
    var headers = false
    var noResponders = false
    var protocolLevel: Int?
    var name: String?
    var language: String?
    var version: String?
    var user: String?
    var password: String?
    var token: String?
    /// `account` or `new_account`, which nats-server refuses.
    var namesAccount = false

    /// nil when it is not a JSON object, or a field is of the wrong type.
    static func parse(_ bytes: Bytes, _ count: Int, over current: ConnectOptions) -> ConnectOptions?
    {
        var options = current
        var reader = unsafe JSONReader(bytes, count)
        guard case .object(let members)? = reader.document() else {
            // `null` is a document that changes nothing.
            var again = unsafe JSONReader(bytes, count)
            if case .null? = again.document() { return options }
            return nil
        }
        for (key, value) in members {
            guard options.set(key.lowercased(), value) else { return nil }
        }
        return options
    }

    private mutating func set(_ key: String, _ value: JSONReader.Value) -> Bool {
        if case .null = value { return true }
        switch key {
        case "verbose": return Self.read(value, &verbose)
        case "pedantic": return Self.read(value, &pedantic)
        case "echo": return Self.read(value, &echo)
        case "headers": return Self.read(value, &headers)
        case "no_responders": return Self.read(value, &noResponders)
        case "new_account":
            var wanted = false
            guard Self.read(value, &wanted) else { return false }
            namesAccount = namesAccount || wanted
            return true
        case "account":
            var account: String?
            guard Self.read(value, &account) else { return false }
            namesAccount = namesAccount || account != ""
            return true
        case "tls_required":
            var ignored = false
            return Self.read(value, &ignored)
        case "protocol":
            guard case .number(let text) = value, let level = Int(text) else { return false }
            protocolLevel = level
            return true
        case "name": return Self.read(value, &name)
        case "lang": return Self.read(value, &language)
        case "version": return Self.read(value, &version)
        case "user": return Self.read(value, &user)
        case "pass": return Self.read(value, &password)
        case "auth_token": return Self.read(value, &token)
        case "jwt", "nkey", "sig":
            var ignored: String?
            return Self.read(value, &ignored)
        default: return true
        }
    }

    private static func read(_ value: JSONReader.Value, _ field: inout Bool) -> Bool {
        guard case .bool(let flag) = value else { return false }
        field = flag
        return true
    }

    private static func read(_ value: JSONReader.Value, _ field: inout String?) -> Bool {
        guard case .string(let text) = value else { return false }
        field = text
        return true
    }
}
