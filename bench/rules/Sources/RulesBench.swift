import Glibc
import MartletRules

/// Does one thing to a document again and again, for callgrind to count:
/// `martlet-rules-bench scan|validate SCHEMA DOCUMENT TIMES`.
@main
struct RulesBench {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let times = Int(arguments[4]) else {
            fatalError("martlet-rules-bench scan|validate SCHEMA DOCUMENT TIMES")
        }
        let schema = try JSONSchema(contents(of: arguments[2]), file: arguments[2])
        var pointers = PointerSet()
        for pointer in ["/customer/tier", "/total", "/items/0/sku"] {
            _ = pointers.slot(of: try JSONPointer(pointer))
        }
        let tree = try pointers.tree()
        let slots = UnsafeMutablePointer<JSONSlot>.allocate(capacity: pointers.pointers.count)
        let bytes = contents(of: arguments[3])
        var scratch = RuleScratch()
        var good = 0
        bytes.withUnsafeBufferPointer { buffer in
            for _ in 0..<times {
                guard
                    case .document(let document) = scratch.scan(
                        buffer.baseAddress!, count: buffer.count)
                else { fatalError("no document") }
                if arguments[1] == "validate" {
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
