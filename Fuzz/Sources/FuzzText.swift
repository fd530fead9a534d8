@testable import MartletBroker

/// Any bytes as a JSON document and as the argument of CONNECT.
@Sendable func fuzzJSON(_ input: [UInt8]) {
    // No slack: the reader must not look behind the end.
    input.withUnsafeBufferPointer { bytes in
        guard let start = bytes.baseAddress else { return }
        var reader = JSONReader(start, bytes.count)
        let isDocument = reader.document() != nil
        let options = ConnectOptions.parse(start, bytes.count, over: ConnectOptions())
        check(isDocument || options == nil, "CONNECT takes what is no JSON")
    }
}

/// Any text as a configuration file.
@Sendable func fuzzConfiguration(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    // Includes would read the files of this machine.
    guard !text.contains("include") else { return }
    guard
        let file = try? ConfigurationFile.parse(
            text, path: "fuzz.conf", environment: ["HOME": "/root"])
    else { return }
    check(file.digest.hasPrefix("sha256:"), "a digest without its name")
    var configuration = BrokerConfiguration()
    try? file.apply(to: &configuration)
    try? configuration.validate()
}
