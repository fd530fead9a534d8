/// Compares subjects for filters: a cold path of its own, far from routing.
enum SubjectPattern {
    /// Whether some literal subject matches both.
    static func overlaps(_ one: String, _ other: String) -> Bool {
        let left = one.split(separator: ".", omittingEmptySubsequences: false)
        let right = other.split(separator: ".", omittingEmptySubsequences: false)
        for index in 0..<max(left.count, right.count) {
            guard index < left.count, index < right.count else { return false }
            if left[index] == ">" || right[index] == ">" { return true }
            if left[index] != "*", right[index] != "*", left[index] != right[index] {
                return false
            }
        }
        return true
    }

    /// Whether one may publish to it: no wildcard, no empty token, no white space.
    static func isLiteral(_ subject: String) -> Bool {
        guard !subject.contains(where: \.isWhitespace) else { return false }
        return subject.split(separator: ".", omittingEmptySubsequences: false)
            .allSatisfy { !$0.isEmpty && $0 != "*" && $0 != ">" }
    }
}
