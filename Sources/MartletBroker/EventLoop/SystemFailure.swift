import Glibc

/// A system call that failed in a way its caller cannot go on from.
struct SystemFailure: Error, CustomStringConvertible {
    let call: String
    let code: Int32

    init(_ call: String, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    var reason: String { unsafe String(cString: strerror(code)) }
    var description: String { "\(call): \(reason)" }
}
