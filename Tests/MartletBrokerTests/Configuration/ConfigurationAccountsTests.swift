import Testing

@testable import MartletBroker

@Suite("Accounts in a configuration file")
struct ConfigurationAccountsTests {
    private func configure(_ text: String) throws(BrokerError) -> BrokerConfiguration {
        let configuration = try ConfigurationUnderTest.configure(text)
        try configuration.validate()
        return configuration
    }

    private func failure(_ text: String) -> String? {
        ConfigurationUnderTest.failure(text, configure)
    }

    @Test("users of accounts join those of the authorization block, whatever comes first")
    func users() throws {
        let accounts = "accounts { A { users: [ {user: a, password: x} ] }\n B {}\n }"
        let authorization = "authorization { users: [ {user: u, password: y} ] }"
        for text in ["\(accounts)\n\(authorization)", "\(authorization)\n\(accounts)"] {
            let configuration = try configure(text)
            #expect(configuration.accounts == ["A", "B"])
            #expect(
                configuration.authorization.users == [
                    .init(name: "u", password: "y"),
                    .init(name: "a", password: "x", account: "A"),
                ])
        }
    }

    @Test("accounts without users ask nobody for credentials")
    func noUsers() throws {
        for text in ["accounts { A {} }", "accounts: [A]"] {
            let configuration = try configure(text)
            #expect(configuration.accounts == ["A"])
            #expect(!configuration.authorization.isRequired)
        }
    }

    @Test("a user of an account can stand in for clients without credentials")
    func noAuthUser() throws {
        let accounts = "accounts { A { users: [ {user: a, password: x} ] } }\n"
        #expect(try configure(accounts + "no_auth_user: a").authorization.noAuthUser == "a")
        #expect(
            failure(accounts + "no_auth_user: b")
                == "no_auth_user: \"b\" not present as user or nkey in authorization block or "
                + "account configuration")
    }

    @Test(
        "the system account is the one that is named, or $SYS if there is one",
        arguments: [
            ("accounts { A {} }\nsystem_account: A", "A"), ("accounts { A {} }", nil),
            ("accounts { \"$SYS\" {} }", "$SYS"),
            ("accounts { \"$SYS\" {} }\nno_system_account: true", "$SYS"),
            ("no_system_account: true", nil),
            ("accounts { \"$SYS\" {}\n A {} }\nsystem: A", "A"), ("", nil),
        ] as [(String, String?)])
    func systemAccount(text: String, name: String?) throws {
        #expect(try configure(text).systemAccountName == name)
    }

    @Test(
        "errors",
        arguments: [
            (
                "accounts: 5",
                "x.conf:1:0: \"accounts\" takes a map or an array of names, not an integer"
            ),
            ("accounts { \"$G\" {} }", "x.conf:1:12: \"$G\" is a Reserved Account"),
            ("accounts { A: 3 }", "x.conf:1:11: Expected map entries for accounts"),
            ("accounts { A { foo: 3 } }", "x.conf:1:15: unknown field \"foo\""),
            (
                "accounts { A { users: 3 } }",
                "x.conf:1:15: Expected users field to be an array, got an integer"
            ),
            (
                "accounts { A { imports: [] } }",
                "x.conf:1:15: this version of Martlet does not support \"imports\""
            ),
            (
                "accounts { A { users: [{user:a}] }\n B { users: [{user:a}] } }",
                "x.conf:2:6: Duplicate user \"a\" detected"
            ),
            (
                "accounts { A { users: [{user:a}] } }\nauthorization { users: [{user:a}] }",
                "x.conf:2:1: Duplicate user \"a\" detected"
            ),
            (
                "accounts { A { users: [{user:a}] } }\nauthorization { user: a }",
                "x.conf:2:1: Can not have a single user/pass and a users array"
            ),
            (
                "authorization { token: a }\naccounts { A { users: [{user:a}] } }",
                "x.conf:1:0: Can not have a token and a users array"
            ),
            ("accounts: [A, A]", "x.conf:1:14: Duplicate Account Entry: A"),
            (
                "accounts { A { users: [{user:a}] }\n B { users: [{user:a}] }\n C { users: [{user:c}] } }",
                "x.conf:2:6: Duplicate user \"a\" detected"
            ),
            (
                "accounts { A {} }\nsystem_account: B",
                "error resolving system account: account missing"
            ),
        ])
    func errors(text: String, message: String) {
        #expect(failure(text) == message)
    }

    @Test("what a variable refers to is no account")
    func variable() throws {
        let configuration = try configure(
            "accounts { BASE { users: [ {user: a, password: x} ] }\n A: $BASE }")
        #expect(configuration.accounts == ["A"])
        #expect(configuration.authorization.users.map(\.account) == ["A"])
    }

    @Test(
        "with users of the system account alone, others need no credentials",
        arguments: [
            ("", true), ("system_account: \"$SYS\"", true), ("authorization {}", false),
            ("no_auth_user: s", false), ("system_account: B", false),
        ])
    func systemAccountAlone(more: String, admits: Bool) throws {
        let accounts = "accounts { \"$SYS\" { users: [ {user: s, password: x} ] } % }\n"
        let other = more.contains("B") ? "\n B {}" : ""
        let configuration = try configure(accounts.replacing("%", with: other) + more)
        #expect(configuration.authorization.admitsWithoutCredentials == admits)
    }

    @Test("a rule of an account that there is not is for nobody, wherever it stands")
    func ruleOfNobody() throws {
        let rule = "rules { r { subject: a, account: %, validate: json } }\n"
        for (name, isKnown) in [("A", true), ("B", false), ("\"$G\"", true)] {
            let text = rule.replacing("%", with: name) + "accounts { A {} }"
            let warnings = try ConfigurationUnderTest.warnings(text)
            #expect(warnings.contains { $0.contains("there is no account") } != isKnown)
        }
    }
}
