import CMartletSystem
import Glibc

/// Compares a password or token that a client sent with one of the configuration.
enum PasswordCheck {
    /// Characters of a bcrypt hash: `$2b$10$`, 22 of salt, 31 of hash.
    private static let hashCount = 60

    static func matches(_ given: String, _ expected: String) -> Bool {
        isHash(expected) ? matchesHash(given, expected) : areEqual(given, expected)
    }

    /// Whether a secret is stored as `$2a$`, `$2b$`, `$2x$` or `$2y$` with a two-digit cost.
    static func isHash(_ text: String) -> Bool {
        let bytes = Array(text.utf8.prefix(7))
        guard bytes.count == 7 else { return false }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        return bytes[0...1].elementsEqual("$2".utf8) && "abxy".utf8.contains(bytes[2])
            && bytes[3] == UInt8(ascii: "$") && digits.contains(bytes[4])
            && digits.contains(bytes[5]) && bytes[6] == UInt8(ascii: "$")
    }

    /// Takes the same time wherever the texts differ, so that timing tells nothing but the length.
    static func areEqual(_ first: String, _ second: String) -> Bool {
        let (left, right) = (Array(first.utf8), Array(second.utf8))
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }

    private static func matchesHash(_ given: String, _ hash: String) -> Bool {
        // C would end the password at a NUL and take "secret\0anything" for "secret".
        guard hash.utf8.count == hashCount, !given.utf8.contains(0) else { return false }
        // All letters name the same algorithm for nats-server; libcrypt changes it for a and x.
        let setting = "$2b$" + hash.dropFirst(4)
        guard let computed = bcrypt(given, setting: setting) else { return false }
        return areEqual(computed, setting)
    }

    /// SAFETY: `data` is ours alone and lives until the text is copied out of it.
    private static func bcrypt(_ password: String, setting: String) -> String? {
        let data = UnsafeMutablePointer<crypt_data>.allocate(capacity: 1)
        unsafe data.initialize(to: crypt_data())
        defer {
            // It holds the key schedule of a secret.
            unsafe explicit_bzero(data, MemoryLayout<crypt_data>.size)
            unsafe data.deallocate()
        }
        guard let text = unsafe crypt_r(password, setting, data) else { return nil }
        return unsafe String(cString: text)
    }
}
