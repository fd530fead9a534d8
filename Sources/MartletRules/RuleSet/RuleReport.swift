extension RuleSet {
    /// Writes what is not valid, for people and for programs.
    func report(_ failure: RuleFailure, of rule: CompiledRule, _ run: RuleRun) {
        let output = run.output
        output.setReport(messageCount: writeMessage(failure, of: rule, run))
        var path: Range<Int>?
        var writer = unsafe ByteWriter(output.body, capacity: output.bodyBytesMax)
        writeBody(failure, of: rule, run, &writer, path: &path)
        if writer.isFull {
            // Long names on a long path: what is left out is in the message's place only.
            path = nil
            writer = unsafe ByteWriter(output.body, capacity: output.bodyBytesMax)
            writeBody(failure, of: rule, run, &writer, path: &path, isShort: true)
        }
        output.setBody(count: writer.isFull ? 0 : writer.count)
        output.path = path
        output.setFailureOffset(offset(of: failure, run))
    }

    private func offset(of failure: RuleFailure, _ run: RuleRun) -> Int {
        switch failure {
        case .payload(let failure): return failure.offset
        case .violation(let violation): return run.document?.offset(of: violation) ?? -1
        default: return -1
        }
    }

    private func writeBody(
        _ failure: RuleFailure, of rule: CompiledRule, _ run: RuleRun,
        _ writer: inout ByteWriter, path: inout Range<Int>?, isShort: Bool = false
    ) {
        writer.write("{\"type\":\"io.martlet.rule_error.v1\",\"rule\":\"")
        write(rule.name, to: &writer)
        writer.write("\",")
        if case .violation(let violation) = failure, let schema = rule.schema,
            let document = run.document
        {
            schema.use {
                if isShort {
                    $0.writeCode(of: violation, to: &writer)
                } else {
                    path = $0.writeReport(of: violation, in: document, to: &writer)
                }
            }
        } else {
            writer.write("\"code\":\"")
            writer.write(failure.name)
            writer.write("\"")
        }
        switch failure {
        case .payload(let failure):
            writer.write(",\"offset\":")
            writer.write(decimal: failure.offset)
        case .missingPart:
            writer.write(",\"path\":\"")
            let start = writer.count
            write(rule.payloadPath, to: &writer)
            path = start..<writer.count
            writer.write("\"")
        default: break
        }
        writer.write(",\"status\":")
        writer.write(decimal: failure.code)
        writer.write(",\"message\":\"")
        writer.write(quoting: run.output.messageBytes)
        writer.write("\"}")
    }

    private func writeMessage(
        _ failure: RuleFailure, of rule: CompiledRule, _ run: RuleRun
    ) -> Int {
        let output = run.output
        var writer = unsafe ByteWriter(output.message, capacity: RuleOutput.messageBytesMax)
        switch failure {
        case .payload(let failure): write(failure, to: &writer)
        case .violation(let violation):
            writer.write("schema ")
            write(rule.schemaName, to: &writer)
            writer.write(": ")
            write(violation, of: rule, run, to: &writer)
        case .tooComplex: writer.write("the payload takes too much work for its size")
        case .destination(let failure):
            writer.write("to: ")
            writer.write(failure.sentence)
        case .field(let field, let failure):
            writer.write("set_headers ")
            write(fieldNames[field], to: &writer)
            writer.write(": ")
            writer.write(failure.sentence)
        case .missingPart:
            writer.write("payload: there is no ")
            write(rule.payloadPath, to: &writer)
        case .headerTooLarge: writer.write("set_headers: the header block becomes too large")
        case .replyTooLarge: writer.write("reply: the answer becomes too large")
        case .tooManyRules: writer.write("too many rules are for the message")
        }
        output.cleanMessage(count: writer.count)
        return writer.count
    }

    private func write(
        _ violation: SchemaViolation, of rule: CompiledRule, _ run: RuleRun,
        to writer: inout ByteWriter
    ) {
        guard let schema = rule.schema, let document = run.document else { return }
        schema.use { schema in
            var fits = true
            unsafe writer.write(filledBy: { buffer, capacity in
                let count = unsafe schema.writeMessage(
                    of: violation, in: document, into: buffer, capacity: capacity)
                fits = count != nil
                return count ?? 0
            })
            if !fits { writer.write("a value deep in the payload is not valid") }
        }
    }

    private func write(_ failure: JSONFailure, to writer: inout ByteWriter) {
        if failure.reason == .payloadTooLarge {
            writer.write("the payload is larger than ")
            writer.write(decimal: failure.offset)
            writer.write(" bytes")
            return
        }
        writer.write(
            failure.code == 400 ? "the payload is not JSON: " : "the payload is over a limit: ")
        writer.write(failure.reason.name)
        writer.write(" at byte ")
        writer.write(decimal: failure.offset)
    }

    func write(_ span: SchemaSpan, to writer: inout ByteWriter) {
        writer.write(textBytes, Int(span.offset), length: Int(span.length))
    }
}

extension TemplateFailure {
    fileprivate var sentence: StaticString {
        switch self {
        case .missing: "the message has not the value for it"
        case .badToken: "the value cannot stand there"
        case .tooLong: "the value is too long"
        case .noRoom: "the whole becomes too long"
        }
    }
}

extension RuleOutput {
    fileprivate func setReport(messageCount count: Int) {
        precondition(count <= Self.messageBytesMax)
        messageCount = count
    }

    fileprivate func setFailureOffset(_ offset: Int) { failureOffset = offset }

    /// The line may become a header field.
    fileprivate func cleanMessage(count: Int) {
        for index in 0..<count {
            let byte = unsafe message[index]
            if byte < 0x20 || byte == 0x7F { unsafe message[index] = UInt8(ascii: "?") }
        }
    }
}
