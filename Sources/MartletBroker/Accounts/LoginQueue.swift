/// Attempts that wait to be made, in turns by the address that they come from.
struct LoginQueue {
    private struct Entry {
        /// In the lines of these: it is made when the first of them comes to it.
        var addresses: Set<String>
        var waiters: [UInt64: CredentialChecks.Answer]
        var isBeingMade = false

        /// Nobody waits for it: it is passed over when its turn comes.
        var isGivenUp: Bool { waiters.isEmpty && !isBeingMade }
    }

    private var entries: [LoginAttempt: Entry] = [:]
    private var attempts: [UInt64: LoginAttempt] = [:]
    private var lines: [String: FIFO<LoginAttempt>] = [:]
    /// Addresses with something in their line.
    private var turns = FIFO<String>()
    private var givenUpCount = 0

    /// Different ones that wait or are being made.
    var attemptCount: Int { entries.count - givenUpCount }

    /// With those that nobody waits for any more.
    var lineCount: Int { entries.count }

    /// A connection waits for one attempt at a time.
    mutating func append(
        _ attempt: LoginAttempt, by connection: UInt64, from address: String,
        _ answer: @escaping CredentialChecks.Answer
    ) {
        assert(attempts[connection] == nil)
        attempts[connection] = attempt
        var entry = entries[attempt] ?? Entry(addresses: [], waiters: [:])
        if entries[attempt] != nil, entry.isGivenUp { givenUpCount -= 1 }
        entry.waiters[connection] = answer
        let isInLine = entry.isBeingMade || !entry.addresses.insert(address).inserted
        entries[attempt] = entry
        guard !isInLine else { return }
        if lines[address] == nil { turns.append(address) }
        lines[address, default: FIFO()].append(attempt)
    }

    /// This connection waits no longer.
    mutating func remove(_ connection: UInt64) {
        guard let attempt = attempts.removeValue(forKey: connection) else { return }
        entries[attempt]?.waiters[connection] = nil
        guard entries[attempt]?.isGivenUp == true else { return }
        givenUpCount += 1
        // Who connects and leaves again and again would fill the memory with what nobody waits for.
        if givenUpCount > attemptCount + 64 { forgetGivenUp() }
    }

    private mutating func forgetGivenUp() {
        let gone = entries.filter { $0.value.isGivenUp }
        for address in gone.values.reduce(into: Set(), { $0.formUnion($1.addresses) }) {
            lines[address]?.removeAll { gone[$0] != nil }
        }
        for attempt in gone.keys { entries[attempt] = nil }
        givenUpCount = 0
    }

    /// The next attempt of the address whose turn it is.
    mutating func takeNext() -> LoginAttempt? {
        while let address = turns.popFirst() {
            let taken = takeNext(of: address)
            if lines[address]?.isEmpty == false {
                turns.append(address)
            } else {
                lines[address] = nil
            }
            if let taken { return taken }
        }
        return nil
    }

    private mutating func takeNext(of address: String) -> LoginAttempt? {
        while let attempt = lines[address]?.popFirst() {
            guard let entry = entries[attempt], !entry.isBeingMade else { continue }
            guard entry.isGivenUp else {
                entries[attempt]?.isBeingMade = true
                return attempt
            }
            entries[attempt] = nil
            givenUpCount -= 1
        }
        return nil
    }

    /// Whom to tell what came of an attempt.
    mutating func finish(_ attempt: LoginAttempt) -> [CredentialChecks.Answer] {
        guard let entry = entries.removeValue(forKey: attempt) else { return [] }
        for connection in entry.waiters.keys { attempts[connection] = nil }
        return Array(entry.waiters.values)
    }
}
