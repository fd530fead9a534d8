/// The target of a request line: a path with an optional query, or the same behind `http://host`, as a
/// proxy sends it (RFC 9112, section 3.2).
struct HTTPTarget: Equatable {
    /// As sent, percent-encoded.
    let path: String
    /// What follows the question mark; nil without one.
    let query: String?

    /// nil for what is neither form.
    init?(_ text: some StringProtocol) {
        var rest = Substring(text)
        for scheme in ["http://", "https://"] where rest.lowercased().hasPrefix(scheme) {
            let authority = rest.dropFirst(scheme.count)
            rest = authority.firstIndex { $0 == "/" || $0 == "?" }.map { authority[$0...] } ?? "/"
            if rest.first == "?" { rest = "/" + rest }
        }
        guard rest.first == "/" else { return nil }
        let parts = rest.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        path = String(parts[0])
        query = parts.count == 2 ? String(parts[1]) : nil
    }

    /// The same target with empty, `.` and `..` elements resolved, where that makes a difference: clients
    /// are sent there, as nats-server does.
    var canonical: String? {
        var elements: [Substring] = []
        for element in path.split(separator: "/") where element != "." {
            if element == ".." { _ = elements.popLast() } else { elements.append(element) }
        }
        var clean = "/" + elements.joined(separator: "/")
        if path.hasSuffix("/"), clean != "/" { clean += "/" }
        guard clean != path else { return nil }
        return clean + (query.map { "?\($0)" } ?? "")
    }
}
