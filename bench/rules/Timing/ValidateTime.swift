import Glibc
import MartletRules

/// Does one thing to a document again and again, and prints the nanoseconds that all of it took:
/// `martlet-validate-time scan|validate|both SCHEMA DOCUMENT TIMES`. "validate" has it scanned before.
@main
struct ValidateTime {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 5, let times = Int(arguments[4]) else {
            fatalError("martlet-validate-time scan|validate|both SCHEMA DOCUMENT TIMES")
        }
        let schema = try JSONSchema(contents(of: arguments[2]), file: arguments[2])
        let bytes = contents(of: arguments[3])
        var scratch = RuleScratch()
        let nanoseconds = unsafe bytes.withUnsafeBufferPointer { buffer in
            let start = unsafe buffer.baseAddress!
            switch arguments[1] {
            case "scan": return unsafe scan(start, buffer.count, times, &scratch)
            case "validate": return unsafe validate(start, buffer.count, times, &scratch, schema)
            case "both": return unsafe both(start, buffer.count, times, &scratch, schema)
            default: fatalError("no mode is called \(arguments[1])")
            }
        }
        print(nanoseconds)
    }

    static func scan(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ times: Int, _ scratch: inout RuleScratch
    ) -> UInt64 {
        let begin = nanosecondsNow()
        for _ in 0..<times {
            guard case .document = unsafe scratch.scan(bytes, count: count) else {
                fatalError("no document")
            }
        }
        return nanosecondsNow() - begin
    }

    static func validate(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ times: Int, _ scratch: inout RuleScratch,
        _ schema: JSONSchema
    ) -> UInt64 {
        guard case .document(let document) = unsafe scratch.scan(bytes, count: count) else {
            fatalError("no document")
        }
        let begin = nanosecondsNow()
        for _ in 0..<times {
            guard schema.validate(document, in: scratch) == .valid else { fatalError("invalid") }
        }
        return nanosecondsNow() - begin
    }

    static func both(
        _ bytes: UnsafePointer<UInt8>, _ count: Int, _ times: Int, _ scratch: inout RuleScratch,
        _ schema: JSONSchema
    ) -> UInt64 {
        let begin = nanosecondsNow()
        for _ in 0..<times {
            guard case .document(let document) = unsafe scratch.scan(bytes, count: count),
                schema.validate(document, in: scratch) == .valid
            else { fatalError("invalid") }
        }
        return nanosecondsNow() - begin
    }

    static func nanosecondsNow() -> UInt64 {
        var moment = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &moment)
        return UInt64(moment.tv_sec) * 1_000_000_000 + UInt64(moment.tv_nsec)
    }

    static func contents(of path: String) -> [UInt8] {
        guard let file = unsafe fopen(path, "rb") else { fatalError("cannot read \(path)") }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        while case let byte = unsafe getc(file), byte != EOF { bytes.append(UInt8(byte)) }
        return bytes
    }
}
