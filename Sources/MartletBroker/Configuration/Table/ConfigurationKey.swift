/// One key of a configuration file: everything that is known of it, in one place.
///
/// The reader, a reload, the flags and docs/CONFIGURATION.md all go by this. `Root` is what the key's
/// block fills: the whole configuration, a user, a rule.
struct ConfigurationKey<Root: ConfigurationRoot>: Sendable {
    typealias Reading =
        @Sendable (ConfigurationMap.Entry, inout Root, inout ConfigurationReader)
        throws(ConfigurationComplaint) -> Void

    /// A value before and after a reload, as a log line shows it.
    struct Change {
        let old: String
        let new: String
    }

    let facts: ConfigurationKeyFacts
    let read: Reading
    /// How two configurations differ in this key; nil where they do not.
    let change: @Sendable (_ old: Root, _ new: Root) -> Change?

    /// A key with one value.
    ///
    /// - Parameters:
    ///   - defaultText: what documents say of the default, where its value does not say it.
    ///   - also: what else the value decides.
    init<Value>(
        _ names: String..., sets path: any WritableKeyPath<Root, Value> & Sendable,
        takes form: ConfigurationForm<Value>, default defaultText: String? = nil,
        reload: ConfigurationReload = .taken, flags: [String] = [], _ summary: String,
        also: @escaping @Sendable (Value, inout Root) -> Void = { _, _ in }
    ) {
        let defaultValue = Root.defaults[keyPath: path]
        facts = ConfigurationKeyFacts(
            names: names, takes: form.words, defaultText: defaultText ?? form.written(defaultValue),
            reload: reload, flags: flags, flagKind: form.flagKind, summary: summary)
        read = { (entry, root, reader) throws(ConfigurationComplaint) in
            let value = try form.read(entry, &reader) ?? defaultValue
            root[keyPath: path] = value
            also(value, &root)
        }
        change = { old, new in
            let (old, new) = (old[keyPath: path], new[keyPath: path])
            return old == new ? nil : Change(old: form.shown(old), new: form.shown(new))
        }
    }

    /// A key that stands for others, or for something larger: a block, a list of users.
    init(
        names: [String], takes words: String, default defaultText: String = "",
        reload: ConfigurationReload = .partOfOthers, _ summary: String,
        change: @escaping @Sendable (_ old: Root, _ new: Root) -> Change? = { _, _ in nil },
        read: @escaping Reading
    ) {
        facts = ConfigurationKeyFacts(
            names: names, takes: words, defaultText: defaultText, reload: reload, flags: [],
            flagKind: .text, summary: summary)
        self.read = read
        self.change = change
    }

    init(
        _ names: String..., takes words: String, default defaultText: String = "",
        reload: ConfigurationReload = .partOfOthers, _ summary: String,
        change: @escaping @Sendable (_ old: Root, _ new: Root) -> Change? = { _, _ in nil },
        read: @escaping Reading
    ) {
        self.init(
            names: names, takes: words, default: defaultText, reload: reload, summary,
            change: change, read: read)
    }
}

/// What the keys of a block fill.
protocol ConfigurationRoot: Sendable {
    /// Before anything is read.
    static var defaults: Self { get }
}

extension BrokerConfiguration: ConfigurationRoot {
    static let defaults = BrokerConfiguration()
}

/// What is known of a key beside how it is read.
struct ConfigurationKeyFacts: Sendable {
    /// In lower case; the first is the one that messages and documents use.
    let names: [String]
    /// What its value looks like.
    let takes: String
    /// As a file would have it.
    let defaultText: String
    let reload: ConfigurationReload
    /// Flags of `martlet serve` that set it, without dashes.
    let flags: [String]
    let flagKind: ConfigurationFlagKind
    let summary: String
}

/// What a reload does with a key that has changed.
enum ConfigurationReload: Sendable, Equatable {
    /// It is taken, and logged as `Reloaded: name = value`.
    case taken
    /// The same, by the name that nats-server logs.
    case takenAs(String)
    /// It is taken, and logged without its value.
    case takenUnseenAs(String)
    /// It needs a restart: the whole reload is refused, with nats-server's name for it.
    case refusedAs(String)
    /// Other keys tell what it changes.
    case partOfOthers
    /// nats-server has the key, this version does not.
    case unsupported
}

/// How the value of a flag is written.
package enum ConfigurationFlagKind: Sendable {
    case toggle, number, text
    /// A number, or a word that stands for one.
    case numberOrWord
}
