import Glibc

/// The package manager makes this the executable's `main`.
@_cdecl("martlet_fuzz_main")
public func main(
    _ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
) -> CInt {
    var count = count
    var arguments = arguments
    return runFuzzer(&count, &arguments) { testOneInput($0, $1) }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    target(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ test: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// What `MARTLET_FUZZ` names gets one input after another.
private let target: @Sendable ([UInt8]) -> Void = {
    switch getenv("MARTLET_FUZZ").map({ String(cString: $0) }) {
    case "parser": return fuzzParser
    case "server": return fuzzServer
    case "broker": return fuzzBroker
    case "json": return fuzzJSON
    case "configuration": return fuzzConfiguration
    case "scanner": return fuzzScanner
    case "schema": return fuzzSchema
    case "pattern": return fuzzPattern
    case "rules": return fuzzRules
    case "evaluation": return fuzzEvaluation
    default:
        fatalError(
            "MARTLET_FUZZ must be parser, server, broker, json, configuration, scanner, schema, pattern, "
                + "rules or evaluation")
    }
}()

/// Says what went wrong and ends the process, so that the input is kept.
func check(_ condition: Bool, _ message: @autoclosure () -> String) {
    if !condition { fatalError(message()) }
}
