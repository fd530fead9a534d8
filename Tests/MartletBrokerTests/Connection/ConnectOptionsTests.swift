import Testing

@testable import MartletBroker

@Suite struct ConnectOptionsTests {
    private func parse(
        _ text: String, over current: ConnectOptions = ConnectOptions()
    ) -> ConnectOptions? {
        let bytes = Array(text.utf8)
        return ConnectOptions.parse(bytes, bytes.count, over: current)
    }

    @Test func absentFieldsKeepTheirValue() throws {
        let first = try #require(
            parse(#"{"verbose":false,"echo":false,"headers":true,"name":"n","protocol":1}"#))
        #expect(!first.verbose && first.pedantic && !first.echo && first.headers)
        let second = try #require(parse(#"{"pedantic":false}"#, over: first))
        #expect(!second.verbose && !second.pedantic && !second.echo && second.headers)
        #expect(second.name == "n" && second.protocolLevel == 1)
    }

    @Test func namesAreInAnyCaseAndTheLastOneWins() throws {
        let options = try #require(
            parse(#"{"VERBOSE":true,"Verbose":false,"NAME":"a","name":"b"}"#))
        #expect(!options.verbose && options.name == "b")
    }

    @Test func nullChangesNothingAndStrangersAreIgnored() throws {
        let options = try #require(parse(#"{"verbose":null,"whatever":{"a":[1,2]},"name":null}"#))
        #expect(options.verbose && options.name == nil)
        #expect(parse("null") != nil)
        #expect(parse("{}") != nil)
    }

    @Test(arguments: [
        "", "[]", "1", "\"x\"", "{", "{}x", #"{"verbose":1}"#, #"{"name":true}"#,
        #"{"protocol":"1"}"#,
        #"{"protocol":1.5}"#, #"{"verbose":"true"}"#, #"{"user":1}"#, #"{"tls_required":1}"#,
        #"{"jwt":1}"#,
    ])
    func whatIsWrongIsRefused(_ text: String) {
        #expect(parse(text) == nil)
    }

    @Test func credentialsAreTaken() throws {
        let options = try #require(parse(#"{"user":"u","pass":"p\u00e9","auth_token":"t"}"#))
        #expect(options.user == "u" && options.password == "pé" && options.token == "t")
        #expect(!options.namesAccount)
        #expect(try #require(parse(#"{"account":"A"}"#)).namesAccount)
        #expect(try #require(parse(#"{"new_account":true}"#)).namesAccount)
    }
}
