@testable import MartletBroker

/// The other end of a connection: bytes to send, in whatever pieces, and the stream that came back,
/// read as a strict client would read it.
final class SimulatedClient {
    struct Message: Equatable {
        var subject: String
        var sid: String
        var reply: String
        var header: String
        var payload: String
    }

    let id: Int
    let loop: Int
    let pipe: MemoryPipe
    let address: SharedAddress
    /// Most bytes that one move sends; a simulation sets it to split and to slow down.
    var piece = Int.max
    /// Does not read while set.
    var isDeaf = false

    private var outgoing: [UInt8] = []
    private var sent = 0
    private var stream: [UInt8] = []
    /// Bytes that the stream needs before it is worth another look.
    private var whole = 0
    private(set) var received = 0

    // What came.
    private(set) var messages: [Message] = []
    private(set) var pings = 0
    private(set) var pongs = 0
    private(set) var oks = 0
    private(set) var infos: [String] = []
    private(set) var errors: [String] = []
    /// The stream broke the protocol; what stood there.
    private(set) var garbage: String?
    private(set) var isClosed = false

    init(id: Int, mail: Mailbox<LoopCommand>, capacity: Int, loop: Int) {
        self.id = id
        self.loop = loop
        let address = SharedAddress()
        self.address = address
        pipe = MemoryPipe(
            capacity: capacity,
            wakeBroker: {
                if let handle = address.value { mail.post(.pipeMoved(handle)) }
            },
            wakePeer: {})
    }

    func queue(_ text: String) { outgoing += Array(text.utf8) }
    func queue(_ bytes: [UInt8]) { outgoing += bytes }
    var hasUnsent: Bool { sent < outgoing.count }

    func takeMessages() -> [Message] {
        defer { messages = [] }
        return messages
    }

    /// Sends some bytes and reads what is there; whether anything moved.
    func move() -> Bool {
        guard !isClosed else { return false }
        var moved = false
        if hasUnsent {
            let end = min(outgoing.count, piece < Int.max ? sent + piece : piece)
            let count = pipe.peerSend(outgoing[sent..<end])
            sent = count.map { sent + $0 } ?? outgoing.count
            moved = count ?? 0 > 0
            if !hasUnsent {
                outgoing.removeAll(keepingCapacity: true)
                sent = 0
            }
        }
        guard !isDeaf else { return moved }
        guard let bytes = pipe.peerReceive() else {
            isClosed = true
            return true
        }
        if !bytes.isEmpty {
            received += bytes.count
            stream += bytes
            parse()
            moved = true
        }
        return moved
    }

    func close() {
        guard !isClosed else { return }
        pipe.peerClose()
        isClosed = true
    }

    // MARK: Reading

    private func parse() {
        var start = 0
        while garbage == nil, let count = parseOne(from: start) {
            start += count
            whole = 0
        }
        stream.removeFirst(start)
    }

    /// One protocol line or message; its length, nil when it is not whole.
    private func parseOne(from start: Int) -> Int? {
        guard stream.count >= whole, let lineEnd = stream[start...].firstIndex(of: 10) else {
            return nil
        }
        guard lineEnd > start, stream[lineEnd - 1] == 13 else { return refuse(start, lineEnd) }
        let line = String(decoding: stream[start..<(lineEnd - 1)], as: UTF8.self)
        let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        switch words[0] {
        case "PING": pings += 1
        case "PONG": pongs += 1
        case "+OK": oks += 1
        case "INFO": infos.append(line)
        case "-ERR": errors.append(String(line.dropFirst(5)))
        case "MSG", "HMSG": return parseMessage(words, start, lineEnd)
        default: return refuse(start, lineEnd)
        }
        return lineEnd + 1 - start
    }

    private func parseMessage(_ words: [String], _ start: Int, _ lineEnd: Int) -> Int? {
        let sizes = words[0] == "HMSG" ? 2 : 1
        guard words.count == 3 + sizes || words.count == 4 + sizes, let total = Int(words.last!),
            let header = sizes == 2 ? Int(words[words.count - 2]) : 0, header <= total
        else { return refuse(start, lineEnd) }
        let end = lineEnd + 1 + total
        guard end + 2 <= stream.count else {
            whole = end + 2 - start
            return nil
        }
        guard stream[end] == 13, stream[end + 1] == 10 else { return refuse(start, lineEnd) }
        messages.append(
            Message(
                subject: words[1], sid: words[2], reply: words.count == 4 + sizes ? words[3] : "",
                header: String(
                    decoding: stream[(lineEnd + 1)..<(lineEnd + 1 + header)], as: UTF8.self),
                payload: String(decoding: stream[(lineEnd + 1 + header)..<end], as: UTF8.self)))
        return end + 2 - start
    }

    private func refuse(_ start: Int, _ lineEnd: Int) -> Int? {
        garbage = String(decoding: stream[start...lineEnd], as: UTF8.self)
        return nil
    }
}

/// Where a connection is, once its loop has adopted it.
final class SharedAddress: Sendable {
    private let handle = Guarded<SlabHandle?>(nil)

    var value: SlabHandle? { handle.withLock { $0 } }
    func set(_ value: SlabHandle) { handle.withLock { $0 = value } }
}
