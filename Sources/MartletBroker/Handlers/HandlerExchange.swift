/// What a connection's requests share, one after another: whether the one at hand is answered, its JSON,
/// and buffers for header blocks and for replies that are written piece by piece. One thread at a time
/// uses it.
final class HandlerExchange {
    let outlet: HandlerOutlet
    let fields: HandlerFields
    var hasReplied = false
    var writer: [UInt8] = []
    var header: [UInt8] = []

    /// More than this is not kept for the next reply.
    private static let writerBytesKept = 1 << 20

    init(outlet: HandlerOutlet, fields: HandlerFields) {
        self.outlet = outlet
        self.fields = fields
    }

    func begin() {
        hasReplied = false
        fields.forget()
    }

    /// The buffer, empty; `giveBack` returns it.
    func takeWriter() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &writer)
        return taken
    }

    func giveBack(_ buffer: consuming [UInt8]) {
        buffer.removeAll(keepingCapacity: buffer.capacity <= Self.writerBytesKept)
        writer = buffer
    }

    /// The same for header blocks.
    func takeHeader() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &header)
        return taken
    }

    func giveBack(header buffer: inout [UInt8]) {
        swap(&header, &buffer)
        header.removeAll(keepingCapacity: header.capacity <= Self.writerBytesKept)
    }
}
