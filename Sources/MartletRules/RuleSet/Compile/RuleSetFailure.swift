/// Why a set of rules cannot be used.
public struct RuleSetFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// All that is wrong, each with the file and, of a rule, its place there.
    public let errors: [String]

    /// All that is wrong, one text each.
    public init(errors: [String]) {
        self.errors = errors
    }

    public var description: String { errors.joined(separator: "\n") }
}
