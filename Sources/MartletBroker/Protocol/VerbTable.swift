/// The verbs with the form their line has. Letters may be of either case.
enum VerbTable {
    enum Form {
        /// A space or tab must follow, then an argument.
        case spaceRequired
        /// An argument follows, with or without white space before it.
        case spaceOptional
        /// Whatever stands before the LF is ignored.
        case restIgnored
    }

    /// What the bytes can still become. `verb` is nil while they are only the start of one.
    struct Match {
        var verb: (Verb, length: Int, Form)?
    }

    /// nil when no verb starts like this.
    static func match(_ bytes: Bytes, _ count: Int) -> Match? {
        guard count > 0 else { return Match(verb: nil) }
        switch unsafe bytes[0] | 0x20 {
        case UInt8(ascii: "p"):
            guard count > 1 else { return Match(verb: nil) }
            switch unsafe bytes[1] | 0x20 {
            case UInt8(ascii: "u"):
                return unsafe compare(bytes, count, "pub", .publish, .spaceRequired)
            case UInt8(ascii: "i"): return unsafe compare(bytes, count, "ping", .ping, .restIgnored)
            default: return unsafe compare(bytes, count, "pong", .pong, .restIgnored)
            }
        case UInt8(ascii: "h"):
            return unsafe compare(bytes, count, "hpub", .publishWithHeader, .spaceRequired)
        case UInt8(ascii: "s"):
            return unsafe compare(bytes, count, "sub", .subscribe, .spaceRequired)
        case UInt8(ascii: "u"):
            return unsafe compare(bytes, count, "unsub", .unsubscribe, .spaceRequired)
        case UInt8(ascii: "c"):
            return unsafe compare(bytes, count, "connect", .connect, .spaceOptional)
        case UInt8(ascii: "i"): return unsafe compare(bytes, count, "info", .info, .spaceOptional)
        case UInt8(ascii: "+"): return unsafe compare(bytes, count, "+ok", .ignored, .restIgnored)
        case UInt8(ascii: "-"): return unsafe compare(bytes, count, "-err", .error, .spaceRequired)
        default: return nil
        }
    }

    private static func compare(
        _ bytes: Bytes, _ count: Int, _ name: StaticString, _ verb: Verb, _ form: Form
    ) -> Match? {
        let length = name.utf8CodeUnitCount
        for i in 0..<min(length, count) {
            let wanted = unsafe name.utf8Start[i]
            // `| 0x20` folds letters; '+' and '-' have that bit already, other bytes must not gain it.
            let isLetter = wanted >= UInt8(ascii: "a")
            guard unsafe (isLetter ? bytes[i] | 0x20 : bytes[i]) == wanted,
                unsafe !isLetter || bytes[i] >= 0x41
            else {
                return nil
            }
        }
        return Match(verb: count < length ? nil : (verb, length, form))
    }
}
