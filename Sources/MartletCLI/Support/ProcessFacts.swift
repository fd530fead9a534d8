import FoundationEssentials
import Glibc

/// What the process knows of itself.
enum ProcessFacts {
    /// The last part of the path that the process was started by.
    static var executableName: String {
        let path = CommandLine.arguments.first ?? ""
        return path.split(separator: "/").last.map(String.init) ?? "martlet"
    }

    static var hostName: String {
        var name = utsname()
        unsafe uname(&name)
        return unsafe withUnsafeBytes(of: name.nodename) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
