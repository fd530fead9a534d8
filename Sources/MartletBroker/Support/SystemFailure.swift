import Glibc

/// A system call that failed in a way its caller cannot go on from.
package struct SystemFailure: Error, CustomStringConvertible {
    package let call: String
    package let code: Int32

    package init(_ call: String, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    package var reason: String { unsafe String(cString: strerror(code)) }
    package var description: String { "\(call): \(reason)" }
}
