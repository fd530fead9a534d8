import Testing

@testable import MartletBroker

@Suite("The authenticator")
struct AuthenticatorTests {
    /// "secret" at cost 4, made by another bcrypt than the one under test.
    static let hash = "$2b$04$Fy3Aci8J4Hpurz5EFMgZE.NNXwR1qRJzMiabdIjm7kxr3FfksVCKi"

    private let accounts = AccountDirectory(budget: MemoryBudget(bytesMax: 1 << 24), seed: 1)

    private func allowed(_ user: String?, in account: String? = nil) -> Authenticator.Decision {
        .allowed(Identity(user: user, account: accounts.account(named: account)))
    }

    private func authenticator(
        _ set: (inout BrokerConfiguration.Authorization) -> Void
    ) -> Authenticator {
        var authorization = BrokerConfiguration.Authorization()
        set(&authorization)
        return Authenticator(authorization, accounts: accounts)
    }

    private var users: Authenticator {
        authenticator {
            $0.users = [.init(name: "ann", password: "a"), .init(name: "bob", password: Self.hash)]
        }
    }

    @Test("lets everyone in where nothing is configured")
    func open() {
        let open = authenticator { _ in }
        #expect(open.check(nil, nil, nil) == allowed(nil))
        #expect(open.check("x", "y", "z") == allowed(nil))
    }

    @Test("compares a token, and nothing else where one is set")
    func token() {
        let token = authenticator { $0.token = "T0ken" }
        #expect(token.check(nil, nil, "T0ken") == allowed(nil))
        #expect(token.check("x", "T0ken", "T0ken") == allowed(nil))
        for wrong in [nil, "", "T0ke", "T0ken2", "t0ken"] {
            #expect(token.check(nil, nil, wrong) == .denied)
        }
        #expect(token.check("T0ken", "T0ken", nil) == .denied)
    }

    @Test("compares a single user and its password")
    func singleUser() {
        let single = authenticator { ($0.user, $0.password) = ("ann", "secret") }
        #expect(
            single.check("ann", "secret", nil) == allowed("ann"))
        #expect(single.check("ann", "Secret", nil) == .denied)
        #expect(single.check("ann", nil, nil) == .denied)
        #expect(single.check("anna", "secret", nil) == .denied)
        #expect(single.check(nil, nil, nil) == .denied)
        #expect(single.check(nil, nil, "secret") == .denied)
    }

    @Test("takes an empty password only for a user that has none")
    func emptyPassword() {
        let single = authenticator { $0.user = "ann" }
        #expect(single.check("ann", nil, nil) == allowed("ann"))
        #expect(single.check("ann", "x", nil) == .denied)
    }

    @Test("finds a user of several")
    func severalUsers() {
        #expect(users.check("ann", "a", nil) == allowed("ann"))
        #expect(users.check("bob", "secret", nil) == allowed("bob"))
        #expect(users.check("ann", "secret", nil) == .denied)
        #expect(users.check("bob", "a", nil) == .denied)
        #expect(users.check("bob", Self.hash, nil) == .denied)
        #expect(users.check("eve", "a", nil) == .denied)
        #expect(users.check(nil, nil, nil) == .denied)
        #expect(users.check(nil, "a", nil) == .denied)
    }

    @Test("gives no_auth_user only to clients without any credential", arguments: ["ann", "bob"])
    func noAuthUser(name: String) {
        let authenticator = authenticator {
            $0.users = [
                .init(name: "ann", password: "a"), .init(name: "bob", password: Self.hash),
            ]
            $0.noAuthUser = name
        }
        #expect(authenticator.check(nil, nil, nil) == allowed(name))
        #expect(authenticator.check("", "", "") == allowed(name))
        #expect(authenticator.check(nil, "x", nil) == .denied)
        #expect(authenticator.check(nil, nil, "x") == .denied)
        #expect(authenticator.check(name, nil, nil) == .denied)
        #expect(!authenticator.isSlow(nil, nil))
    }

    @Test("knows which checks are slow")
    func slowHashes() {
        #expect(users.isSlow("bob", nil))
        #expect(!users.isSlow("ann", nil))
        let token = authenticator { $0.token = Self.hash }
        #expect(token.isSlow(nil, "x"))
        #expect(token.check(nil, nil, "secret") == allowed(nil))
        #expect(token.check(nil, nil, "secre") == .denied)
        let single = authenticator { ($0.user, $0.password) = ("ann", Self.hash) }
        #expect(single.isSlow("ann", nil))
        #expect(single.isSlow("eve", nil))
    }

    @Test("takes each letter of bcrypt's prefix", arguments: ["a", "b", "y", "x"])
    func bcryptPrefixes(letter: String) {
        let hash = "$2\(letter)$" + Self.hash.dropFirst(4)
        #expect(PasswordCheck.isHash(hash))
        #expect(PasswordCheck.matches("secret", hash))
        #expect(!PasswordCheck.matches("Secret", hash))
        #expect(!PasswordCheck.matches("", hash))
        #expect(!PasswordCheck.matches("secret\0more", hash))
    }

    @Test("hashes a password beyond ASCII as other implementations do")
    func bcryptBeyondASCII() {
        let hash = "$2b$04$aM9hufEuS4.H3F8.xIvbnuP1WeqPUcgZzSndGch3HNDAuwnuhPOFO"
        #expect(PasswordCheck.matches("pässwörd ☃", hash))
    }

    @Test(
        "denies what only looks like a hash",
        arguments: [
            "$2a$04$", "$2a$99$" + AuthenticatorTests.hash.dropFirst(7),
            AuthenticatorTests.hash + "x", String(AuthenticatorTests.hash.dropLast()),
        ])
    func brokenHashes(hash: String) {
        #expect(PasswordCheck.isHash(hash))
        #expect(!PasswordCheck.matches("secret", hash))
        #expect(!PasswordCheck.matches(hash, hash))
    }

    @Test("compares in clear what is no hash", arguments: ["$2c$04$abc", "$2a$4$abc", "$2", "2a$"])
    func notHashes(text: String) {
        #expect(!PasswordCheck.isHash(text))
        #expect(PasswordCheck.matches(text, text))
    }

    @Test("tells of passwords in clear")
    func plaintext() {
        var authorization = BrokerConfiguration.Authorization()
        #expect(!authorization.usesPlaintextPasswords)
        authorization.token = "t"
        #expect(!authorization.usesPlaintextPasswords)
        authorization.users = [.init(name: "bob", password: Self.hash)]
        #expect(!authorization.usesPlaintextPasswords)
        authorization.users.append(.init(name: "ann", password: "a"))
        #expect(authorization.usesPlaintextPasswords)
        authorization.users = []
        authorization.password = Self.hash
        #expect(!authorization.usesPlaintextPasswords)
        authorization.password = "a"
        #expect(authorization.usesPlaintextPasswords)
    }

    @Test func usersAreInTheirAccounts() {
        var authorization = BrokerConfiguration.Authorization()
        authorization.users = [
            .init(name: "a", password: "x", account: "A"), .init(name: "g", password: "y"),
        ]
        authorization.noAuthUser = "a"
        let authenticator = Authenticator(authorization, accounts: accounts)
        #expect(
            authenticator.check("a", "x", nil) == allowed("a", in: "A"))
        #expect(
            authenticator.check("g", "y", nil)
                == allowed("g"))
        #expect(
            authenticator.check(nil, nil, nil)
                == allowed("a", in: "A"))
        #expect(authenticator.check("a", "y", nil) == .denied)
    }
}

extension Authenticator {
    fileprivate func check(_ user: String?, _ password: String?, _ token: String?) -> Decision {
        check(Credentials(user: user ?? "", password: password ?? "", token: token ?? ""))
    }

    fileprivate func isSlow(_ user: String?, _ token: String?) -> Bool {
        attempt(Credentials(user: user ?? "", token: token ?? "")).isSlow
    }
}
