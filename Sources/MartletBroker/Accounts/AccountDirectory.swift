/// The accounts of a broker. Names come from the configuration alone; an account that a reload no longer
/// names stays for the connections that are in it.
final class AccountDirectory: Sendable {
    private struct State {
        var all: [Account]
        var places: [String: Int] = [:]
    }

    /// The account of everybody who has no other.
    let global: Account
    private let state: Guarded<State>
    private let budget: MemoryBudget
    private let seed: UInt64

    init(budget: MemoryBudget, seed: UInt64) {
        self.budget = budget
        self.seed = seed
        let name = BrokerConfiguration.globalAccountName
        global = Account(name: name, index: 0, budget: budget, seed: seed)
        state = Guarded(State(all: [global], places: [name: 0]))
    }

    /// The account of a name, made when it is first asked for; nil is `$G`.
    func account(named name: String?) -> Account {
        guard let name else { return global }
        return state.withLock { state in
            if let place = state.places[name] { return state.all[place] }
            let account = Account(name: name, index: state.all.count, budget: budget, seed: seed)
            state.places[name] = account.index
            state.all.append(account)
            return account
        }
    }

    /// Every account, by index.
    var accounts: [Account] { state.withLock { $0.all } }
}
