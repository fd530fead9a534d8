import MartletTestSupport

@testable import MartletBroker

/// The other end of a connection: bytes to send, in whatever pieces, and the frames that came back.
final class SimulatedClient {
    let id: Int
    /// Where it has connected.
    let loop: Int
    let pipe: MemoryPipe
    let address: SharedAddress
    /// Most bytes that one move sends; a simulation sets it to split and to slow down.
    var piece = Int.max
    /// Does not read while set.
    var isDeaf = false

    private var outgoing: [UInt8] = []
    private var sent = 0
    private var reader = FrameReader()

    // What came.
    private(set) var messages: [Frame.Message] = []
    private(set) var pings = 0
    private(set) var pongs = 0
    private(set) var infos = 0
    private(set) var errors: [String] = []
    /// The stream broke the protocol; what stood there.
    private(set) var garbage: String?
    private(set) var isClosed = false

    init(id: Int, mail: Mailbox<LoopCommand>, capacity: Int, loop: Int) {
        self.id = id
        self.loop = loop
        let address = SharedAddress(mail)
        self.address = address
        pipe = MemoryPipe(
            capacity: capacity, wakeBroker: { address.wakeLoop() }, wakePeer: {},
            hasMoved: { address.set($1, on: $0) })
    }

    func queue(_ text: String) { outgoing += Array(text.utf8) }
    func queue(_ bytes: [UInt8]) { outgoing += bytes }
    var hasUnsent: Bool { sent < outgoing.count }

    func takeMessages() -> [Frame.Message] {
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
            reader.append(bytes)
            read()
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

    private func read() {
        do {
            while garbage == nil, let frame = try reader.next() { take(frame) }
        } catch {
            garbage = error.line
        }
    }

    private func take(_ frame: Frame) {
        switch frame {
        case .message(let message): messages.append(message)
        case .ok: break
        case .info: infos += 1
        case .ping: pings += 1
        case .pong: pongs += 1
        case .error(let text): errors.append(text)
        }
    }
}

/// Where a connection is, once its loop has adopted it.
final class SharedAddress: Sendable {
    private let place: Guarded<(mail: Mailbox<LoopCommand>, handle: SlabHandle?)>

    init(_ mail: Mailbox<LoopCommand>) { place = Guarded((mail, nil)) }

    var value: SlabHandle? { place.withLock { $0.handle } }
    var mail: Mailbox<LoopCommand> { place.withLock { $0.mail } }
    func set(_ value: SlabHandle) { place.withLock { $0.handle = value } }
    func set(_ value: SlabHandle, on mail: Mailbox<LoopCommand>) {
        place.withLock { $0 = (mail, value) }
    }

    func wakeLoop() {
        let (mail, handle) = place.withLock { $0 }
        if let handle { mail.post(.pipeMoved(handle)) }
    }
}
