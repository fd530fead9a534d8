@testable import MartletBroker

/// Any bytes from a server: every place in a frame lies in what came, and cutting the bytes changes nothing.
@Sendable func fuzzServer(_ input: [UInt8]) {
    guard input.count > 1 else { return }
    let bytes = Array(input.dropFirst())
    let whole = read([bytes])
    let cut = Int(input[0]) * bytes.count / 256
    check(
        read([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole,
        "cut at \(cut), it reads otherwise")
    if bytes.count < 200 {
        check(read(bytes.map { [$0] }) == whole, "byte by byte, it reads otherwise")
    }
}

/// What the pieces hold, and what was against the protocol.
private func read(_ pieces: [[UInt8]]) -> [String] {
    let input = ServerInput()
    var found: [String] = []
    for piece in pieces {
        input.fill { $0 = piece }
        let end = input.visit { frame, bytes in
            for range in [frame.subject, frame.reply, frame.header, frame.payload] {
                check(Int(range.start) + range.length <= frame.end, "\(range) of \(frame.end)")
            }
            do throws(ServerProtocolViolation) {
                found.append("\(try ServerEvent(frame, in: bytes))")
                return true
            } catch {
                found.append("\(error)")
                return false
            }
        }
        switch end {
        case .exhausted: continue
        case .stopped: return found
        case .violation(let violation): return found + ["\(violation)"]
        }
    }
    return found
}
