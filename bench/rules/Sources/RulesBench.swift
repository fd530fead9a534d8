import Glibc
import MartletRules

/// Does one thing to a document again and again, for callgrind to count:
/// `martlet-rules-bench scan|validate|rule SCHEMA DOCUMENT TIMES`.
@main
struct RulesBench {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let times = Int(arguments[4]) else {
            fatalError("martlet-rules-bench scan|validate|rule SCHEMA DOCUMENT TIMES")
        }
        let schema = contents(of: arguments[2])
        let document = contents(of: arguments[3])
        if arguments[1] == "rule" {
            try RuleBench(schema).run(document, times)
        } else {
            try documents(schema, document, times, validates: arguments[1] == "validate")
        }
    }

    static func documents(
        _ schema: [UInt8], _ bytes: [UInt8], _ times: Int, validates: Bool
    ) throws {
        let schema = try JSONSchema(schema, file: "schema")
        var pointers = PointerSet()
        for pointer in ["/customer/tier", "/total", "/items/0/sku"] {
            _ = pointers.slot(of: try JSONPointer(pointer))
        }
        let tree = try pointers.tree()
        let slots = UnsafeMutablePointer<JSONSlot>.allocate(capacity: pointers.pointers.count)
        var scratch = RuleScratch()
        var good = 0
        bytes.withUnsafeBufferPointer { buffer in
            for _ in 0..<times {
                guard
                    case .document(let document) = scratch.scan(
                        buffer.baseAddress!, count: buffer.count)
                else { fatalError("no document") }
                if validates {
                    guard schema.validate(document, in: scratch) == .valid else {
                        fatalError("invalid")
                    }
                    tree.find(in: document, into: slots)
                    if !slots[2].isPresent { fatalError("not found") }
                }
                good += 1
            }
        }
        if good != times { fatalError("\(good) of \(times)") }
    }

    static func contents(of path: String) -> [UInt8] {
        guard let file = fopen(path, "rb") else { fatalError("cannot read \(path)") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = getc(file), byte != EOF { bytes.append(UInt8(byte)) }
        return bytes
    }
}
