import Testing

@testable import MartletBroker

@Suite("The account directory")
struct AccountDirectoryTests {
    private let directory = AccountDirectory(budget: MemoryBudget(bytesMax: 1 << 24), seed: 1)

    @Test("gives the same account for the same name, and $G to who names none")
    func names() {
        let a = directory.account(named: "A")
        #expect(directory.account(named: "A") == a && a.pointee.name == "A")
        #expect(directory.account(named: "B") != a)
        #expect(directory.account(named: nil) == directory.global)
        #expect(directory.account(named: "$G") == directory.global)
        #expect(directory.global.pointee.index == 0)
    }

    @Test("keeps the place that an account was promised before anybody was in it")
    func places() {
        let place = directory.place(ofAccount: "later")
        #expect(!directory.accounts.contains { $0.pointee.index == place })
        #expect(directory.account(named: "later").pointee.index == place)
    }

    @Test("a subscription through an account is found in its subjects, and in no other's")
    func subjects() throws {
        let bench = RoutingBench(seed: 1)
        bench.subscribe("orders.new")
        let record = bench.entries[0].record
        let (a, b) = (directory.account(named: "A"), directory.account(named: "B"))
        bench.space.pointee.remove(record)
        try a.pointee.space.insert(record)
        #expect(a.space.pointee.contents.pointee.tree.subscriptionCount == 1)
        #expect(b.space.pointee.contents.pointee.tree.subscriptionCount == 0)
        a.space.pointee.remove(record)
        #expect(a.pointee.space.contents.pointee.tree.subscriptionCount == 0)
    }
}
