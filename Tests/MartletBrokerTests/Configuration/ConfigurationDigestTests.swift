import Testing

@testable import MartletBroker

/// Digests that nats-server 2.15.1 printed for these files with `-t`.
@Suite("A configuration's digest")
struct ConfigurationDigestTests {
    struct DigestVector: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let text: String
        let digest: String

        init(_ name: String, _ text: String, _ digest: String) {
            testDescription = name
            self.text = text
            self.digest = digest
        }
    }

    static let vectors = [
        DigestVector(
            "one key",
            #"""
            port: 4222
            """#,
            "797533ebd0dfba7d34a0f9337ecf147e442871f48ddfd07ed751575a5737267e"),
        DigestVector(
            "nested maps and arrays",
            #"""
            m { b: [1, "two" , {c: 3.0}, [] , {}
            ] , a { z: -5, y: 1.5, x: no } }
            port = $m
            port = 4222
            """#,
            "c991c03233faad6b8cd53690f40a84eaee3db4e3f4971990339d8d1345cd022e"),
        DigestVector(
            "floats",
            #"""
            m = [0.5, 1.0, 100.25 ,0.000001 ,0.0000001 ,123456789012345680000.0 \#
            ,1000000000000000000000.0 ,-0.0 ,-2.75 ,0.1 ,3.14159 ,1234567.0 ]
            port = $m
            port = 4222
            """#,
            "ecc323ab98660a26e90a6220f4d786a24281dfeee0c61bbb93b8c9132ca1fd0d"),
        DigestVector(
            "escapes and characters that HTML knows",
            #"""
            m = "a<b>&c\t\"\\ \x41 \n é ☃ "
            port = $m
            port = 4222
            """#,
            "55df6fc9fffb29a353dff47b7166f92c155fd8e9e1442d959a58c3768833db62"),
        DigestVector(
            "the order of keys",
            #"""
            m { "b": 1, "a": 2, "B": 3, "é": 4, "a.b": 5, "<": 6, "10": 7, "9": 8 }
            port = $m
            port = 4222
            """#,
            "af770b5c597b4058575e38f21febe6d5a85bb8c8b011186b23b9746cb609f007"),
        DigestVector(
            "a datetime",
            #"""
            m = 2016-05-04T18:53:41Z
            port = $m
            port = 4222
            """#,
            "8bfd0fe53a3ddea670a66be3020eee2f95b0e27a6f98ca3c316310cd4fcda1fa"),
        DigestVector(
            "size units",
            #"""
            m = [1k , 1kb , 2Mi , 3GiB , 4t , 1pb , 5e , 8Kb ]
            port = $m
            port = 4222
            """#,
            "35e7a05103916fdeaece99c4219b07f4d6a4cd76666738efa183329fa26389ae"),
        DigestVector(
            "a block string",
            #"""
            m = (
            line one
              line (two)
            )
            port = $m
            port = 4222
            """#,
            "19b84d0fea6baf0bcf482d6473df05d4fba1047d058f2bf61c9b152f572b2c8b"),
        DigestVector(
            "JSON",
            #"""
            { "port": 4222, "server_name": "x" }
            """#,
            "a59b54bb8cd5e7b5f1ee5b6907b14566b57b55802bd08e0e2f0addc5f172c73c"),
        DigestVector(
            "every separator",
            #"""
            listen: 127.0.0.1:4222; max_payload = 2MB // comment
            # more
            write_deadline "10s"
            debug on
            """#,
            "9b7745175178791a5167b780d5988383631cddc67b1e7732af1f536dd849a7ad"),
        DigestVector(
            "strings without quotes",
            #"""
            m { u = 'single \n' , v = a\tb , w = $2a$11$abc , x = 1e3 , y = 12ab }
            port = $m
            port = 4222
            """#,
            "a4c9fe14f60f5a74ee14e890709425fdba08c9cdb1c430d824e638cc73268dbc"),
        DigestVector(
            "control characters",
            #"""
            m = "\x01\x1f\x7f\x08\x0c"
            port = $m
            port = 4222
            """#,
            "e68930b600e16720ec84c74e221669677330a39f32a0d545a772b08266f064e3"),
        DigestVector(
            "variables count like their values",
            #"""
            BAR_USERS = { users = [ {user = "bar"} ]}
            hello = 'world'
            accounts {
              QUUX_USERS = [ { user: quux }]
              bar = $BAR_USERS
              quux = { users = $QUUX_USERS }
            }
            very { nested { env { VAR = 'NESTED', quux = $VAR }}}
            """#,
            "bddb282343249c26d3edcef9bfaa9d2711505fc67210380e871405ba394a9186"),
        DigestVector(
            "the same without variables",
            #"""
            hello = 'world'
            accounts {
              bar  = { users = [ { user = "bar" } ]}
              quux = { users = [ { user: quux   } ]}
            }
            very { nested { env { quux = 'NESTED' }}}
            """#,
            "34f8faf3f269fe7509edc4742f20c8c4a7ad51fe21f8b361764314b533ac3ab5"),
    ]

    @Test("is nats-server's", arguments: vectors)
    func agrees(_ vector: DigestVector) throws {
        let file = try ConfigurationFile.parse(vector.text, path: "x.conf", environment: [:])
        #expect(file.digest == "sha256:" + vector.digest)
    }

    @Test("does not change with comments, separators and white space")
    func ignoresSpelling() throws {
        let texts = ["foo = bar", "# why\n  foo: bar  \n", "{ 'foo': 'bar' }", "foo bar;"]
        let digests = try texts.map {
            try ConfigurationFile.parse($0, path: "x.conf", environment: [:]).digest
        }
        let expected = "sha256:226e49e13d16e5e8aa0d62e58cd63361bf097d3e2b2444aa3044334628a2e8de"
        #expect(Set(digests) == [expected])
    }

    @Test(
        "is SHA-256 at every block boundary",
        arguments: [
            (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
            (56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"),
            (64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
            (1000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"),
        ])
    func hashes(count: Int, expected: String) {
        #expect(SHA256.hexadecimal(of: [UInt8](repeating: 97, count: count)) == expected)
    }
}
