/// The accounts of a broker. Names come from the configuration alone; an account that a reload no longer
/// names stays for the connections that are in it. References to accounts are good while the directory is.
final class AccountDirectory: Sendable {
    private struct State {
        var places: [String: Int]
        /// Those that somebody has been in.
        var accounts: [Int: AccountRef]

        mutating func place(of name: String) -> Int {
            if let known = places[name] { return known }
            places[name] = places.count
            return places.count - 1
        }
    }

    /// The account of everybody who has no other.
    let global: AccountRef
    private let state: Guarded<State>
    private let budget: MemoryBudget
    private let seed: UInt64

    init(budget: MemoryBudget, seed: UInt64) {
        self.budget = budget
        self.seed = seed
        let name = BrokerConfiguration.globalAccountName
        global = AccountRef(
            allocating: Account(name: name, index: 0, budget: budget, seed: seed))
        state = Guarded(State(places: [name: 0], accounts: [0: global]))
    }

    deinit {
        for account in accounts { account.destroy() }
    }

    /// The account of a name, made when somebody is in it for the first time; nil is `$G`.
    func account(named name: String?) -> AccountRef {
        guard let name else { return global }
        return state.withLock { state in
            let place = state.place(of: name)
            if let known = state.accounts[place] { return known }
            let account = AccountRef(
                allocating: Account(name: name, index: place, budget: budget, seed: seed))
            state.accounts[place] = account
            return account
        }
    }

    /// The place that the account of a name has or will have.
    func place(ofAccount name: String) -> Int { state.withLock { $0.place(of: name) } }

    var accounts: [AccountRef] { state.withLock { Array($0.accounts.values) } }
}
