import MartletBroker
import MartletRules

/// Takes orders and quotes prices: two handlers in the process of the broker.
struct OrderService {
    static let schema = """
        {
          "type": "object",
          "required": ["id", "item", "quantity"],
          "properties": {
            "id": { "type": "string", "minLength": 1 },
            "item": { "type": "string" },
            "quantity": { "type": "integer", "minimum": 1, "maximum": 1000 }
          }
        }
        """
    /// In cents.
    static let prices = ["apple": 30, "pear": 45]

    let orders: HandlerRegistration
    let quotes: HandlerRegistration

    init(on broker: Broker) throws {
        let schema = try JSONSchema(Array(Self.schema.utf8), file: "order.json")
        let fields = ["/id", "/item", "/quantity"]

        quotes = try broker.respond(to: "orders.quote", queue: "orders", fields: fields) {
            request in
            try request.validate(schema)
            let total = try Self.total(of: request)
            try request.reply { writer in
                writer.write("{\"total\":")
                writer.write(total)
                writer.write("}")
            }
        }
        orders = try broker.respond(to: "orders.new", queue: "orders", fields: fields) { request in
            try request.validate(schema)
            let total = try Self.total(of: request)
            let id = try request.string("/id") ?? ""
            try request.reply { writer in
                writer.write("{\"accepted\":")
                writer.write(json: id)
                writer.write(",\"total\":")
                writer.write(total)
                writer.write("}")
            }
        }
    }

    /// The schema has seen to it that the fields are there.
    private static func total(of request: borrowing HandlerRequest) throws -> Int {
        let item = try request.string("/item") ?? ""
        guard let price = prices[item] else {
            throw ServiceError(code: 404, description: "no such item")
        }
        return price * (try request.integer("/quantity") ?? 0)
    }
}
