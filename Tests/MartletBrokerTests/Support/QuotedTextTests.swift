import Testing

@testable import MartletBroker

@Suite("Text of peers in a log")
struct QuotedTextTests {
    @Test(
        "stands in quotes as Go's %q writes it",
        arguments: [
            (Array("plain é ☃ 😀".utf8), #""plain é ☃ 😀""#),
            (Array("a\"b\\c".utf8), #""a\"b\\c""#),
            (Array("\r\n\t\u{1B}[31m\u{7F}\0".utf8), #""\r\n\t\x1b[31m\x7f\x00""#),
            ([0xFF, 0x61, 0xC3, 0xE2, 0x98], #""\xffa\xc3\xe2\x98""#),
            (
                Array("\u{85}\u{2028}\u{A0}\u{E000}\u{10FFFF}".utf8),
                #""\u0085\u2028\u00a0\ue000\U0010ffff""#
            ),
        ] as [([UInt8], String)])
    func quoted(bytes: [UInt8], text: String) {
        #expect(QuotedText.quoted(bytes) == text)
    }

    @Test("keeps quotes and backslashes where it is not in quotes, and no control character")
    func escaped() {
        #expect(QuotedText.escaped("a \"b\" \\ \r\u{1B}\u{85}") == #"a "b" \ \r\x1b\u0085"#)
        for byte in 0...UInt8.max {
            let shown = QuotedText.escaped([byte], quotes: false)
            #expect(shown.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F })
        }
    }
}
