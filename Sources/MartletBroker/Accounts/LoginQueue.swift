/// Attempts that wait to be made, in turns by the address that they come from.
struct LoginQueue {
    private struct Entry {
        let address: String
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
        if let entry = entries[attempt] {
            if entry.isGivenUp { givenUpCount -= 1 }
            entries[attempt]?.waiters[connection] = answer
            return
        }
        entries[attempt] = Entry(address: address, waiters: [connection: answer])
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
        for address in Set(gone.values.map(\.address)) {
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
            guard entries[attempt]?.isGivenUp == true else {
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
