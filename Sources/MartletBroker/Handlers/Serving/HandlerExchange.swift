/// What a connection's requests share, one after another: whether the one at hand is answered, its JSON,
/// and buffers for header blocks and for replies that are written piece by piece. One thread at a time
/// uses it.
final class HandlerExchange {
    let outlet: HandlerOutlet
    let fields: HandlerFields
    var hasReplied = false
    var writer = KeptBuffer()
    var header = KeptBuffer()

    init(outlet: HandlerOutlet, fields: HandlerFields) {
        self.outlet = outlet
        self.fields = fields
    }

    func begin() {
        hasReplied = false
        fields.forget()
    }
}
