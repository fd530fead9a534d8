/// A configuration's fingerprint: the same for files that say the same.
///
/// As nats-server computes it: SHA-256 of the parsed file as JSON with sorted keys and a newline
/// behind it. Variables count with their values, and so do the keys that define them.
enum ConfigurationDigest {
    static func digest(of map: ConfigurationMap) -> String {
        "sha256:" + SHA256.hexadecimal(of: json(of: map) + [UInt8(ascii: "\n")])
    }

    static func json(of map: ConfigurationMap) -> [UInt8] {
        var json: [UInt8] = []
        append(map, to: &json)
        return json
    }

    private static func append(_ map: ConfigurationMap, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "{"))
        // Go sorts by bytes; Swift's `<` for strings sorts by normalised characters.
        let entries = map.entries.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        for (index, entry) in entries.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            append(entry.key, to: &json)
            json.append(UInt8(ascii: ":"))
            append(entry.value, to: &json)
        }
        json.append(UInt8(ascii: "}"))
    }

    private static func append(_ value: ConfigurationValue, to json: inout [UInt8]) {
        switch value.content {
        case .string(let text), .datetime(let text): append(text, to: &json)
        case .integer(let number): json += Array("\(number)".utf8)
        case .float(let number): json += Array(text(of: number).utf8)
        case .boolean(let flag): json += Array("\(flag)".utf8)
        case .map(let map): append(map, to: &json)
        case .array(let values):
            json.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { json.append(UInt8(ascii: ",")) }
                append(value, to: &json)
            }
            json.append(UInt8(ascii: "]"))
        }
    }

    /// Go's encoder also escapes what HTML and JavaScript would trip over.
    static func append(_ text: String, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": json += Array("\\\"".utf8)
            case "\\": json += Array("\\\\".utf8)
            case "\n": json += Array("\\n".utf8)
            case "\r": json += Array("\\r".utf8)
            case "\t": json += Array("\\t".utf8)
            case "\u{8}": json += Array("\\b".utf8)
            case "\u{c}": json += Array("\\f".utf8)
            case "<", ">", "&", "\u{2028}", "\u{2029}", "\0"..<" ":
                let hexadecimal = String(scalar.value, radix: 16)
                let zeros = String(repeating: "0", count: 4 - hexadecimal.count)
                json += Array("\\u\(zeros)\(hexadecimal)".utf8)
            default: json += Array(UTF8.encode(scalar)!)
            }
        }
        json.append(UInt8(ascii: "\""))
    }

    /// The shortest digits that name the number, without an exponent from 1e-6 up to 1e21.
    static func text(of number: Double) -> String {
        let size = number.magnitude
        if size == 0 { return number.sign == .minus ? "-0" : "0" }
        let (digits, exponent) = shortestDigits(of: size)
        let sign = number < 0 ? "-" : ""
        if size < 1e-6 || size >= 1e21 {
            let fraction = digits.count > 1 ? ".\(digits.dropFirst())" : ""
            let power = exponent - 1
            return "\(sign)\(digits.prefix(1))\(fraction)e\(power < 0 ? "" : "+")\(power)"
        }
        if exponent <= 0 {
            return "\(sign)0." + String(repeating: "0", count: -exponent) + digits
        }
        if digits.count <= exponent {
            return sign + digits + String(repeating: "0", count: exponent - digits.count)
        }
        return "\(sign)\(digits.prefix(exponent)).\(digits.dropFirst(exponent))"
    }

    /// `digits` and `exponent` of 0.digits × 10^exponent.
    private static func shortestDigits(of number: Double) -> (digits: String, exponent: Int) {
        let parts = number.description.split(separator: "e")
        let mantissa = parts[0].split(separator: ".")
        var exponent = mantissa[0].count + (parts.count > 1 ? Int(parts[1])! : 0)
        var digits = Substring(mantissa.joined())
        while digits.first == "0" {
            digits.removeFirst()
            exponent -= 1
        }
        while digits.last == "0" { digits.removeLast() }
        return (String(digits), exponent)
    }
}
