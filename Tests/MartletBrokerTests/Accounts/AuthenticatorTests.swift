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
        #expect(open.check(user: nil, password: nil, token: nil) == allowed(nil))
        #expect(open.check(user: "x", password: "y", token: "z") == allowed(nil))
    }

    @Test("compares a token, and nothing else where one is set")
    func token() {
        let token = authenticator { $0.token = "T0ken" }
        #expect(token.check(user: nil, password: nil, token: "T0ken") == allowed(nil))
        #expect(token.check(user: "x", password: "T0ken", token: "T0ken") == allowed(nil))
        for wrong in [nil, "", "T0ke", "T0ken2", "t0ken"] {
            #expect(token.check(user: nil, password: nil, token: wrong) == .denied)
        }
        #expect(token.check(user: "T0ken", password: "T0ken", token: nil) == .denied)
    }

    @Test("compares a single user and its password")
    func singleUser() {
        let single = authenticator { ($0.user, $0.password) = ("ann", "secret") }
        #expect(
            single.check(user: "ann", password: "secret", token: nil) == allowed("ann"))
        #expect(single.check(user: "ann", password: "Secret", token: nil) == .denied)
        #expect(single.check(user: "ann", password: nil, token: nil) == .denied)
        #expect(single.check(user: "anna", password: "secret", token: nil) == .denied)
        #expect(single.check(user: nil, password: nil, token: nil) == .denied)
        #expect(single.check(user: nil, password: nil, token: "secret") == .denied)
    }

    @Test("takes an empty password only for a user that has none")
    func emptyPassword() {
        let single = authenticator { $0.user = "ann" }
        #expect(single.check(user: "ann", password: nil, token: nil) == allowed("ann"))
        #expect(single.check(user: "ann", password: "x", token: nil) == .denied)
    }

    @Test("finds a user of several")
    func severalUsers() {
        #expect(users.check(user: "ann", password: "a", token: nil) == allowed("ann"))
        #expect(users.check(user: "bob", password: "secret", token: nil) == allowed("bob"))
        #expect(users.check(user: "ann", password: "secret", token: nil) == .denied)
        #expect(users.check(user: "bob", password: "a", token: nil) == .denied)
        #expect(users.check(user: "bob", password: Self.hash, token: nil) == .denied)
        #expect(users.check(user: "eve", password: "a", token: nil) == .denied)
        #expect(users.check(user: nil, password: nil, token: nil) == .denied)
        #expect(users.check(user: nil, password: "a", token: nil) == .denied)
    }

    @Test("gives no_auth_user only to clients without any credential", arguments: ["ann", "bob"])
    func noAuthUser(name: String) {
        let authenticator = authenticator {
            $0.users = [
                .init(name: "ann", password: "a"), .init(name: "bob", password: Self.hash),
            ]
            $0.noAuthUser = name
        }
        #expect(authenticator.check(user: nil, password: nil, token: nil) == allowed(name))
        #expect(authenticator.check(user: "", password: "", token: "") == allowed(name))
        #expect(authenticator.check(user: nil, password: "x", token: nil) == .denied)
        #expect(authenticator.check(user: nil, password: nil, token: "x") == .denied)
        #expect(authenticator.check(user: name, password: nil, token: nil) == .denied)
        #expect(!authenticator.needsSlowHash(user: nil, token: nil))
    }

    @Test("knows which checks are slow")
    func slowHashes() {
        #expect(users.needsSlowHash(user: "bob", token: nil))
        #expect(!users.needsSlowHash(user: "ann", token: nil))
        #expect(!users.needsSlowHash(user: "eve", token: nil))
        #expect(!users.needsSlowHash(user: nil, token: "bob"))
        let token = authenticator { $0.token = Self.hash }
        #expect(token.needsSlowHash(user: nil, token: "x"))
        #expect(token.check(user: nil, password: nil, token: "secret") == allowed(nil))
        #expect(token.check(user: nil, password: nil, token: "secre") == .denied)
        let single = authenticator { ($0.user, $0.password) = ("ann", Self.hash) }
        #expect(single.needsSlowHash(user: "ann", token: nil))
        #expect(!single.needsSlowHash(user: "eve", token: nil))
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
            authenticator.check(user: "a", password: "x", token: nil)
                == allowed("a", in: "A"))
        #expect(
            authenticator.check(user: "g", password: "y", token: nil)
                == allowed("g"))
        #expect(
            authenticator.check(user: nil, password: nil, token: nil)
                == allowed("a", in: "A"))
        #expect(authenticator.check(user: "a", password: "y", token: nil) == .denied)
    }
}
