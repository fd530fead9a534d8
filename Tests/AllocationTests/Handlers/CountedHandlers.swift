import MartletBroker
import MartletRules

/// One handler for each way to read a request and to answer it that must not allocate once warm.
enum CountedHandlers {
    static let schema = """
        {
          "type": "object",
          "required": ["item", "quantity"],
          "properties": {
            "item": { "type": "string" },
            "quantity": { "type": "integer", "minimum": 1, "maximum": 1000 }
          }
        }
        """
    /// Made once: each of them holds strings that are too long to stand in place.
    static let answered: InProcessHeaders = ["Answered-By": "the handler that was asked"]
    static let noSuchItem = ServiceError(code: 404, description: "there is no such item")
    static let thrown: any Error = noSuchItem

    static func add(to broker: Broker) throws {
        try broker.respond(to: "echo") { request in
            try request.withPayload { try request.reply($0) }
        }
        let schema = try JSONSchema(Array(Self.schema.utf8), file: "order.json")
        try broker.respond(to: "quote", fields: ["/item", "/quantity"]) { request in
            try request.validate(schema)
            let price = try request.string("/item") == "apple" ? 30 : 45
            let quantity = try request.integer("/quantity") ?? 0
            try request.reply { writer in
                writer.write("{\"total\":")
                writer.write(price * quantity)
                writer.write("}")
            }
        }
        try broker.respond(to: "traced") { request in
            let trace = request.header("Trace") ?? "none"
            try request.reply(headers: answered) { $0.write(trace) }
        }
        try broker.respond(to: "failed") { request in try request.fail(noSuchItem) }
        try broker.respond(to: "thrown") { _ in throw thrown }
        try broker.respond(to: "thrown.new") { _ in
            throw ServiceError(code: 404, description: "there is no such item")
        }
    }
}
