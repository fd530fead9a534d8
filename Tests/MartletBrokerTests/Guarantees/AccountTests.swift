import MartletBroker
import MartletTestSupport
import Testing

extension Guarantees {
    @Suite(.serialized) struct Accounts {
        /// Two accounts and `$G`; users have the names of their accounts.
        private func broker(_ setup: BrokerSetup) throws -> TestBroker {
            try setup.broker { configuration in
                configuration.accounts = ["a", "b"]
                configuration.authorization.users = [
                    .init(name: "a", password: "a", account: "a"),
                    .init(name: "b", password: "b", account: "b"),
                    .init(name: "g", password: "g"),
                ]
            }
        }

        static let users = ["a", "b", "g"]

        @Test("A message stays in the account of its publisher", arguments: BrokerSetup.all)
        func isolation(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try broker(setup)
            let subscribers = try Self.users.flatMap {
                try broker.subscribers(
                    loops, "SUB > 1", "SUB x.* 2", "SUB x.1 g 3", options: ClientOptions(user: $0))
            }
            for (number, user) in Self.users.enumerated() {
                let publisher = try broker.client(ClientOptions(user: user))
                for _ in 0..<10 { try publisher.send(pub("x.1", user)) }
                try publisher.barrier()
                var inQueue = 0
                for (place, subscriber) in subscribers.enumerated() {
                    let messages = try subscriber.barrier().compactMap(\.message)
                    let isInAccount = place / loops == number
                    #expect(messages.allSatisfy { $0.text == user })
                    #expect(messages.filter { $0.sid != "3" }.count == (isInAccount ? 20 : 0))
                    inQueue += messages.filter { $0.sid == "3" }.count
                }
                #expect(inQueue == 10)
            }
        }

        @Test("Nobody in an account answers for another one", arguments: BrokerSetup.all)
        func noResponders(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try broker(setup)
            let services = try broker.subscribers(
                loops, "SUB service 1", "SUB service g 2", options: ClientOptions(user: "a"))
            for requester in try broker.clients(loops, ClientOptions(user: "b")) {
                try requester.send("SUB inbox 1\r\n" + pub("service", "x", reply: "inbox"))
                #expect(try requester.message().isNoResponders)
            }
            for service in services { #expect(try service.barrier().isEmpty) }
        }

        /// Whoever is chosen on another loop and has gone is replaced by a member of the same account.
        @Test(
            "A queue group stays in its account while members come and go",
            arguments: BrokerSetup.all)
        func churn(setup: BrokerSetup) throws {
            let loops = setup.loops
            let broker = try broker(setup)
            let members = try broker.clients(loops, ClientOptions(user: "a"))
            let strangers = try broker.subscribers(
                loops, "SUB service g 1", options: ClientOptions(user: "g"))
            let requesters = try broker.clients(loops, ClientOptions(user: "a"))
            try onThreads(
                loops,
                { i in
                    try requesters[i].send("SUB inbox.\(i) 1\r\n")
                    for _ in 0..<QueueGroups.messages / 24 {
                        try requesters[i].send(pub("service", "x", reply: "inbox.\(i)"))
                        let answer = try requesters[i].message()
                        try #require(answer.isNoResponders || answer.text == "yes")
                    }
                },
                meanwhile: loops, { try QueueGroups.comeAndGo(members[$0]) })
            for stranger in strangers { #expect(try stranger.barrier().isEmpty) }
        }

        @Test(
            "A connection that says CONNECT again goes over with nothing of its own left behind",
            arguments: BrokerSetup.with(loops: [1]))
        func changesAccount(setup: BrokerSetup) throws {
            let broker = try broker(setup)
            let client = try broker.client(ClientOptions(user: "a"))
            let other = try broker.client(ClientOptions(user: "a"))
            try client.send("SUB x 1\r\n")
            try client.connect(ClientOptions(user: "b"))
            try other.send(pub("x", "from a"))
            try other.barrier()
            try client.send("SUB x 2\r\n" + pub("x", "from b"))
            let messages = try client.barrier().compactMap(\.message)
            #expect(messages.map(\.text) == ["from b"])
        }

        @Test(
            "Clients that need no credentials are in $G, beside users of the system account",
            arguments: BrokerSetup.with(loops: [1]))
        func systemAccountAlone(setup: BrokerSetup) throws {
            let broker = try setup.broker { configuration in
                configuration.accounts = ["$SYS"]
                configuration.authorization.users = [
                    .init(name: "s", password: "s", account: "$SYS")
                ]
                configuration.authorization.admitsWithoutCredentials = true
            }
            let system = try broker.client(ClientOptions(user: "s"))
            let clients = try broker.clients(2)
            for client in [system, clients[0]] {
                try client.send("SUB x 1\r\n")
                try client.barrier()
            }
            try clients[1].send(pub("x", "1"))
            try clients[1].barrier()
            #expect(try clients[0].barrier().compactMap(\.message).map(\.text) == ["1"])
            #expect(try system.barrier().isEmpty)
        }

        @Test(
            "What is seen of connections and subscriptions names their accounts",
            arguments: BrokerSetup.with(loops: [2]))
        func snapshots(setup: BrokerSetup) throws {
            let broker = try broker(setup)
            var clients: [RawClient] = []
            for user in Self.users {
                let client = try broker.subscriber("SUB x 1", options: ClientOptions(user: user))
                clients.append(client)
                let seen = try #require(
                    broker.connections(subscriptions: true).first { $0.authorizedUser == user })
                let account = user == "g" ? "$G" : user
                #expect(seen.account == account)
                #expect(seen.subscriptions.map(\.account) == [account])
                #expect(broker.broker.routingSnapshot().subscriptions == clients.count)
            }
        }
    }
}
