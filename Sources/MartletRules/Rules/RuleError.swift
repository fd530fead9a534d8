/// Why a rule, a pattern or a schema cannot be used. Made while a configuration is read.
public struct RuleError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong.
    public let message: String
    /// Where in the schema or the condition it is.
    public let pointer: JSONPointer?
    /// The keyword of the schema that is wrong; nil elsewhere.
    public let keyword: String?
    /// The schema's file; nil elsewhere.
    public let file: String?

    init(
        _ message: String, at pointer: JSONPointer? = nil, keyword: String? = nil,
        file: String? = nil
    ) {
        self.message = message
        self.pointer = pointer
        self.keyword = keyword
        self.file = file
    }

    func at(_ pointer: JSONPointer, keyword: String? = nil, file: String? = nil) -> RuleError {
        RuleError(
            message, at: self.pointer ?? pointer, keyword: self.keyword ?? keyword,
            file: self.file ?? file)
    }

    public var description: String {
        var text = file.map { "\($0): " } ?? ""
        if let pointer { text += "#\(pointer): " }
        if let keyword { text += "\(keyword): " }
        return text + message
    }
}
