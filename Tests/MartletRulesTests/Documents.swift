import Foundation
import MartletRules

/// Scratch takes a while to make. With a lock that the thread sanitizer sees.
private nonisolated(unsafe) var sharedScratch = RuleScratch()
private let scratchLock = NSLock()

/// What a scan says of bytes.
func failure(_ bytes: [UInt8], limits: JSONLimits? = nil) -> JSONFailure? {
    if let limits {
        var scratch = RuleScratch(limits: limits)
        return failure(bytes, in: &scratch)
    }
    return scratchLock.withLock { failure(bytes, in: &sharedScratch) }
}

private func failure(_ bytes: [UInt8], in scratch: inout RuleScratch) -> JSONFailure? {
    scan(bytes, in: &scratch) { outcome in
        if case .failure(let failure) = outcome { return failure }
        return nil
    }
}

func failure(_ text: String, limits: JSONLimits? = nil) -> JSONFailure? {
    failure(Array(text.utf8), limits: limits)
}

/// Scans exactly these bytes: the address sanitizer finds a read behind them.
func scan<Result>(
    _ bytes: [UInt8], in scratch: inout RuleScratch, _ use: (JSONOutcome) throws -> Result
) rethrows -> Result {
    let exact = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
    defer { exact.deallocate() }
    exact.update(from: bytes, count: bytes.count)
    return try use(scratch.scan(exact, count: bytes.count))
}
