/// Finds a bad subject before the server does, with a message that says what is wrong with it.
enum SubjectCheck {
    static func publish(_ subject: String) throws(CommandFailure) {
        try subscribe(subject)
        let tokens = subject.split(separator: ".", omittingEmptySubsequences: false)
        if tokens.contains("*") || tokens.contains(">") {
            throw CommandFailure(description: "cannot publish to a wildcard: \"\(subject)\"")
        }
    }

    static func subscribe(_ subject: String) throws(CommandFailure) {
        let tokens = subject.split(separator: ".", omittingEmptySubsequences: false)
        guard !subject.isEmpty, !tokens.contains(""), !hasSpace(subject),
            !tokens.dropLast().contains(">")
        else { throw CommandFailure(description: "not a subject: \"\(subject)\"") }
    }

    static func queue(_ name: String) throws(CommandFailure) {
        guard !name.isEmpty, !hasSpace(name) else {
            throw CommandFailure(description: "not a queue name: \"\(name)\"")
        }
    }

    private static func hasSpace(_ text: String) -> Bool {
        text.unicodeScalars.contains { $0.value <= 32 || $0.value == 127 }
    }
}
