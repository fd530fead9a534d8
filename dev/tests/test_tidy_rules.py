"""Each rule of dev/tidy passes what it is to pass, and finds what it is to find."""

import pathlib
import subprocess
import sys

import pytest

BROKER = "Sources/MartletBroker"
MAP = "docs/ARCHITECTURE.md"


def test_safe_types_state_their_safety(faults):
    stated = "/// A.\n///\n/// SAFETY: one thread.\n@safe\nfinal class A: @unchecked Sendable {}\n"
    unstated = "/// B.\n@safe\nstruct B {\n    /// SAFETY: one thread.\n    @safe struct C {}\n}\n"
    sent = "// No promise.\nextension D: @unchecked\n    Sendable {}\n// @safe\nlet e = \"@safe\"\n"
    assert faults("safety", {"Sources/A.swift": stated}) == []
    assert faults("safety", {"Sources/B.swift": unstated, "Sources/D.swift": sent}) == [
        ("Sources/B.swift", 3, "B"),
        ("Sources/D.swift", 2, "D"),
    ]


@pytest.mark.parametrize("line", ["/// SAFETY:", "/// SAFETY: yes", "/// safe"])
def test_a_safety_line_of_a_word_is_none(faults, line):
    assert faults("safety", {"Sources/A.swift": f"{line}\n@safe struct A {{}}\n"}) != []


@pytest.mark.parametrize(
    "declaration",
    [
        "nonisolated(unsafe) var a = 1",
        "public nonisolated(unsafe) static let a = 1",
        "@safe func a() {}",
        "@safe\nvar a: Int { 1 }",
        "@safe init() {}",
    ],
)
def test_members_and_variables_state_their_safety(faults, declaration):
    fails = f"struct A {{\n{declaration}\n}}\n"
    passes = f"struct A {{\n/// SAFETY: one thread.\n{declaration}\n}}\n"
    assert faults("safety", {"Sources/A.swift": passes}) == []
    assert faults("safety", {"Sources/A.swift": fails}) != []


def test_variables_of_functions_state_their_safety(faults):
    fails = "func f() {\n    nonisolated(unsafe) let a = 1\n}\n"
    passes = "func f() {\n    // SAFETY: one thread.\n    nonisolated(unsafe) let a = 1\n}\n"
    assert faults("safety", {"Sources/A.swift": passes}) == []
    assert [line for _, line, _ in faults("safety", {"Sources/A.swift": fails})] == [2]


def test_public_declarations_are_documented(faults):
    passes = """\
/// A.
public struct A: CustomStringConvertible {
    /// How many.
    @inlinable
    public var count: Int { 1 }
    var inner = 1
    public var description: String { "A" }
    public static func == (a: A, b: A) -> Bool { true }
}
public extension A {
    /// D.
    func d() {}
}
/// E.
public enum E {
    case f
    /// G.
    case g(Int)
}
"""
    assert faults("documentation", {"Sources/MartletRules/A.swift": passes}) == []
    fails = """\
public struct A {
    // Not a doc comment.
    public var count = 1
    public init() {}
}
/// E.
public enum E {
    case f, g(Int)
}
/// P.
public protocol P {
    func q()
}
"""
    file = "Sources/MartletMonitor/B.swift"
    assert faults("documentation", {file: fails}) == [
        (file, 1, "A"), (file, 3, "A.count"), (file, 4, "A.init"), (file, 8, "E.g"), (file, 12, "P.q"),
    ]  # fmt: skip


def test_an_empty_doc_comment_is_none(faults):
    file = "Sources/MartletRules/A.swift"
    assert faults("documentation", {file: "///\npublic struct A {}\n"}) != []
    assert faults("documentation", {file: "/// .\npublic struct A {}\n"}) != []


def test_only_what_answers_a_protocol_needs_no_comment(faults):
    file = "Sources/MartletRules/A.swift"
    text = """\
/// A.
public struct A CONFORMANCE {
    public mutating func next() -> Int? { nil }
    public func encode(to: any Encoder) {}
    public func index(after i: Int) -> Int { i }
    public func hash(into hasher: inout Hasher) {}
}
"""
    protocols = ": IteratorProtocol, Encodable, Collection, Hashable"
    assert faults("documentation", {file: text.replace(" CONFORMANCE", protocols)}) == []
    found = faults("documentation", {file: text.replace(" CONFORMANCE", "")})
    assert [line for _, line, _ in found] == [3, 4, 5, 6]
    apart = text.replace(" CONFORMANCE", "") + f"extension A{protocols} {{}}\n"
    assert faults("documentation", {file: apart}) == []


def test_only_libraries_are_to_be_documented(faults):
    assert faults("documentation", {"Sources/MartletCLI/A.swift": "public struct A {}\n"}) == []


def swift_function(lines):
    return "func f() {\n" + "    g()\n" * (lines - 2) + "}\n"


def test_sizes_up_to_the_limit_pass(faults):
    files = {f"Sources/A/{i}.swift": "\n" for i in range(15)}
    files["Sources/A/f.swift"] = swift_function(60) + "\n" * 340
    files |= {f"Tests/A/{i}.swift": "\n" for i in range(20)}
    assert faults("size", files) == []


def test_sizes_over_the_limit_are_found(faults):
    files = {f"Sources/A/{i}.swift": "\n" for i in range(17)}
    files |= {"Tests/long.swift": "\n" * 401, "Tests/f.swift": swift_function(61)}
    assert faults("size", files) == [
        ("Sources/A", 1, "Sources/A"),
        ("Tests/f.swift", 1, "f"),
        ("Tests/long.swift", 401, "Tests/long.swift"),
    ]


@pytest.mark.parametrize(
    "opening",
    ["    var a: Int {", "    static let b = {", "    let c = d(1) {", "    init() {", "    let e: [G] = [f({"],
)
def test_whatever_stands_in_braces_has_a_size(faults, opening):
    def text(lines):
        return f"struct A {{\n{opening}\n" + "        g()\n" * (lines - 2) + "    }\n}\n"

    assert faults("size", {"Sources/A.swift": text(60)}) == []
    assert [line for _, line, _ in faults("size", {"Sources/A.swift": text(61)})] == [2]


def test_types_have_no_size_but_that_of_their_file(faults):
    members = "    let a = 1\n" * 100
    assert faults("size", {"Sources/A.swift": f"struct A {{\n{members}}}\nextension A {{\n{members}}}\n"}) == []


LOCKS = """\
final class Guarded {
    let mutex: UnsafeMutablePointer<pthread_mutex_t>
}
final class A {
    private let state = Guarded(State())
    struct B { let c: Mutex<Int> }
    func d() { state.withLock { _ in } }
}
"""


def test_listed_locks_pass(faults):
    document = "### Locks\n\n1. `A.state`: `Never.mind`.\n2. `B.c`, alone.\n\n## More\n\n- `Not.this`\n"
    assert faults("locks", {"Sources/A.swift": LOCKS, MAP: document}) == []


def test_locks_are_missed_and_missing(faults):
    document = "### Locks\n\n- `A.gone`: nothing.\n- `B.c`: B.\n"
    assert faults("locks", {"Sources/A.swift": LOCKS, MAP: document}) == [
        ("Sources/A.swift", 5, "A.state"),
        (MAP, 3, "A.gone"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "final class A { let b = Synchronization.Mutex(1) }",
        "final class A {\n    let b:\n        Mutex<Int> = .init(1)\n}",
        "final class A { let b: [Guarded<Int>] = [] }",
        "final class A {\n    let b = Guarded(\n        1)\n}",
        "typealias L = Mutex<Int>\ntypealias M = L\nfinal class A { let b = M(1) }",
        "final class A { let b: DispatchQueue\n    func c() { b.sync { 1 } } }",
    ],
)
def test_locks_of_all_kinds_are_found(faults, text):
    assert {it[2] for it in faults("locks", {"Sources/A.swift": text})} == {"A.b"}
    assert faults("locks", {"Sources/A.swift": text, MAP: "### Locks\n\n- `A.b`: B.\n"}) == []


def test_locks_in_c_are_found(faults):
    header = "static pthread_mutex_t lock;\n"
    assert faults("locks", {"Sources/C/C.h": header}) == [("Sources/C/C.h", 1, "C.lock")]
    assert faults("locks", {"Sources/C/C.h": header, MAP: "### Locks\n\n- `C.lock`: C.\n"}) == []


def test_a_type_does_not_stand_for_its_locks(faults):
    files = {"Sources/A.swift": "final class A { let b = Guarded(1) }\n", MAP: "### Locks\n\n- `A`: all.\n"}
    assert faults("locks", files) == [("Sources/A.swift", 1, "A.b")]


PATH = {
    f"{BROKER}/Loop/A.swift": "// Message path, step 0: first. Next: B.swift.\n",
    f"{BROKER}/MessagePath/B.swift": "// Message path, step 1: last. The end of the path.\n",
    f"{BROKER}/MessagePath/B+C.swift": "// Message path, beside B.swift: more.\n",
    f"{BROKER}/Loop/D.swift": "import E\n",
}


def test_a_whole_path_passes(faults):
    assert faults("path", PATH) == []


@pytest.mark.parametrize(
    "name, line",
    [
        ("MessagePath/B.swift", "// Message path, step 2: a gap. The end of the path."),
        ("MessagePath/B.swift", "// Message path, step 0: twice. The end of the path."),
        ("MessagePath/B.swift", "// Message path, step 1: last. Next: C.swift."),
        ("MessagePath/B.swift", "// Message path, step 1: no end."),
        ("Loop/A.swift", "// Message path, step 0: first. Next: D.swift."),
        ("Loop/A.swift", "// Message path, step 0: first. The end of the path."),
        ("MessagePath/B+C.swift", "// Message path, beside D.swift: D is not of the path."),
        ("MessagePath/B+C.swift", "import C"),
    ],
)
def test_a_broken_path_is_found(faults, name, line):
    assert faults("path", PATH | {f"{BROKER}/{name}": line + "\n"}) != []


def test_a_path_without_files_is_found(faults):
    assert faults("path", {"Sources/A.swift": "\n"}) != []


FOLDERS = {f"{BROKER}/Routing/A.swift": "\n", f"{BROKER}/Configuration/Keys/B.swift": "\n"}


def test_a_layout_that_names_each_folder_passes(faults):
    document = "## Layout\n\n    Routing/  A\n    Configuration/  `Keys/`, not Sources/MartletBroker/Routing/\n"
    assert faults("layout", FOLDERS | {MAP: document}) == []


def test_folders_are_missed_and_missing(faults):
    document = "## Layout\n\n- `Routing/`\n- `Transport/`\n- `Keys/`\n\n## More\n\n`Other/`\n"
    assert faults("layout", FOLDERS | {MAP: document}) == [
        (f"{BROKER}/Configuration", 1, "Configuration/"),
        (MAP, 4, "Transport/"),
    ]


def test_a_layout_is_to_be_there(faults):
    assert faults("layout", FOLDERS | {MAP: "# Map\n"}) == [(MAP, 1, MAP)]


def test_links_that_lead_somewhere_pass(faults):
    a = (
        "# One `two`, three\n\n# Same\n\n# Same\n\n[a](b/c.md#d-e) [b](b) [c](#one-two-three) [d](#same-1)\n"
        "[e](https://x.org/y) `[f](none.md)` ![g](b/g.svg)\n\n```\n[h](none.md)\n```\n\n[i]: b/c.md\n"
    )
    assert faults("links", {"a.md": a, "b/c.md": "## D *e*\n\n[a](../a.md)\n", "b/g.svg": "<svg/>"}) == []


def test_links_that_lead_nowhere_are_found(faults):
    a = "# A\n\n[a](none.md) ![b](b/none.svg)\n[c](#none) [d](b/c.md#none)\n[e]: gone.md\n"
    found = faults("links", {"a.md": a, "b/c.md": "# C\n"})
    assert [(line, subject.removeprefix("a.md:")) for _, line, subject in found] == [
        (3, "none.md"), (3, "b/none.svg"), (4, "#none"), (4, "b/c.md#none"), (5, "gone.md"),
    ]  # fmt: skip


PATHS = {"Sources/A/Loop/B.swift": "\n", "dev/c": "\n", "bench/README.md": "\n"}


def test_paths_that_exist_pass(faults):
    a = "`Loop/B.swift` `A/Loop/` `B.swift` `dev/c --all` `application/json` `_INBOX.a` `orders/new`\n\n```\ndev/c\n```\n"
    assert faults("links", PATHS | {"a.md": a, "CHANGELOG.md": "`dev/gone`\n"}) == []


@pytest.mark.parametrize(
    "text",
    ["`Loop/C.swift`", "`Gone/`", "`C.swift`", "`dev/d`", "`bench/x 1`", "`Sources/A/C`", "```\ndev/d  # it\n```"],
)
def test_paths_that_do_not_exist_are_found(faults, text):
    assert [it[0] for it in faults("links", PATHS | {"a.md": f"{text}\n"})] == ["a.md"]


WORDS = """\
# A comment.
text  goblin  no magic
text  /\\bspell \\d+\\b/  no magic
swift  bell  wakeup
swift  toldApart  frame
name  letter  command
name  /^note[A-Z]/  record
swift  /^tell[A-Z]/  send
"""


def test_words_that_are_not_listed_pass(faults):
    swift = "let label = 1 // Letters of the alphabet; noted; told\nlet s = \"letter\"\nfunc notes() {}\n"
    files = {"dev/tidy-words": WORDS, "a.swift": swift, "b.md": "hobgoblins, a bell, spell x\n"}
    assert faults("words", files) == []


@pytest.mark.parametrize(
    "name, line, word",
    [
        ("a.md", "two Goblins", "goblin"),
        ("a.py", "# spell 10", "/\\bspell \\d+\\b/"),
        ("a.swift", "// it rings the bells", "bell"),
        ("a.swift", "func ringBell() {}", "bell"),
        ("a.swift", "let isToldApart = 1", "toldApart"),
        ("a.swift", "struct LoopLetters {}", "letter"),
        ("a.swift", "func noteLive() {}", "/^note[A-Z]/"),
        ("a.swift", "// calls tellAll", "/^tell[A-Z]/"),
    ],
)
def test_words_that_are_listed_are_found(faults, name, line, word):
    assert faults("words", {"dev/tidy-words": WORDS, name: f"\n{line}\n"}) == [(name, 2, f"{name}:{word}")]


OWN_WORDS = pathlib.Path(__file__).resolve().parents[1] / "tidy-words"


# A bar in each, so that they may stand here.
@pytest.mark.parametrize(
    "comment",
    ["the us|ual way", "a do|omed connection", "Loop|Thread", "a Rule|Product", "note|Failure", "Loop|Confined",
     "its share of| the turn", "a turn's| share"],
)  # fmt: skip
def test_words_that_were_given_up_are_found_in_comments(faults, comment):
    files = {"dev/tidy-words": OWN_WORDS.read_text(), "a.swift": f"// {comment.replace('|', '')}\n"}
    assert {it[0] for it in faults("words", files)} == {"a.swift"}
    files["a.swift"] = "// unusual, usually; a share of the memory, a note\n"
    assert faults("words", files) == []


def test_an_exempted_word_may_stand_among_the_exemptions(faults):
    exemptions = "words  b.md:goblin  a tale\n"
    files = {"dev/tidy-words": WORDS, "b.md": "a goblin\n", "dev/tidy-exemptions": exemptions}
    assert faults("words", files) == []


def test_a_table_of_words_that_cannot_be_read_is_a_fault(faults):
    assert faults("words", {"dev/tidy-words": "text goblin\nbook  a  b\n"}) != []


LIVE = """\
@main struct Program { static func main() { A().b(.c("\\(d)")); use() } }
let d = 1
struct A {
    func b(_ e: E) { if case .c = e { f() } }
    private func f() {}
    public func api() {}
    static func < (a: A, b: A) -> Bool { true }
}
enum E { case c(String) }
struct Row: Encodable { let total = 1 }
extension A: CustomStringConvertible { var description: String { "\\(Row())" } }
enum Word: String { case hello }
let words = [Word.self]
func use() { print(words) }
"""


def test_code_that_is_used_passes(faults):
    assert faults("dead-code", {"Sources/A.swift": LIVE, "Tests/T.swift": "A().api()\n"}) == []


def test_dead_code_is_found(faults):
    dead = """\
struct A { func unused() { g(.made) }
    let forTests = 1 // unused, by name, in a comment
}
func g(_ e: E) { if e == .never { print(A.self, "forTests") }
    switch e { case .made: break
    case .never: break }
}
enum E { case made, never }
public func api() {}
"""
    found = faults("dead-code", {"Sources/A.swift": dead, "Tests/T.swift": "print(A().forTests)\n"})
    assert [(line, subject) for _, line, subject in found] == [
        (1, "A.unused"), (2, "A.forTests"), (8, "E.never"), (9, "api"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text, subject",
    [
        ("func a(_ b: Int) { a(b - 1) }", "a"),
        ("func a() { c() }\nfunc c() { a() }\n", None),
        ("struct B { static let shared = B() }\nextension B: P {}\n", "B"),
        ("struct B { init(c: Int, d: Int) {} }\nlet e = B(d: 1)\nfunc f() { print(e, f) }", "B.init(c:)"),
        ("struct B { init(c: Int = 1, d: Int) {} }\nlet e = B(d: 1)\nfunc f() { print(e) }\nlet g = f()\nuse(g)", None),
        ("struct B { init(c: Int) {} }\nlet e: B = .init(c: 1)\nuse(e)", None),
        ("struct B { init(_ c: Int) {} }\nuse(B.self)", None),
        ("struct B: Decodable { init(from d: any Decoder) {} }\nuse(B.self)", None),
        ("protocol B {}\nfunc c(_ b: any B) {}\nuse(c)", "B"),
        ("protocol B {}\nprotocol D: B {}\nenum E: D {}\nuse(E.self, B.self)", None),
    ],
)
def test_what_only_itself_uses_is_dead(faults, text, subject):
    found = [it[2] for it in faults("dead-code", {"Sources/A.swift": text})]
    assert subject in found if subject else found == []


def test_what_public_code_calls_under_its_own_name_is_alive(faults):
    text = "public struct A { public func b() { C().b() } }\nstruct C { func b() {} }\n"
    assert faults("dead-code", {"Sources/A.swift": text, "Tests/T.swift": "A().b()\n"}) == []


def test_unused_functions_in_c_are_found(faults):
    header = "int martlet_a(int b) { return b; }\nint martlet_c(int b) { return martlet_a(b); }\n"
    used = {"Sources/C/C.h": header, "Sources/A.swift": "use(martlet_c(1))\n"}
    assert faults("dead-code", used) == []
    assert faults("dead-code", {"Sources/C/C.h": header, "Sources/A.swift": "// martlet_c(1)\n"}) == [
        ("Sources/C/C.h", 2, "martlet_c")
    ]


DEAD = {"Sources/A.swift": "func unused() {}\n"}


def test_an_exemption_with_a_reason_lets_a_fault_pass(faults):
    exemptions = "# Why.\n\ndead-code  unused  so it is\n"
    assert faults("dead-code", DEAD | {"dev/tidy-exemptions": exemptions}) == []


@pytest.mark.parametrize("line", ["dead-code  unused", "dead-code  other  no longer there"])
def test_an_exemption_without_a_reason_or_a_need_is_a_fault(faults, line):
    found = faults("dead-code", DEAD | {"dev/tidy-exemptions": f"{line}\n"})
    assert ("dev/tidy-exemptions", 1) in [(path, number) for path, number, _ in found]


def test_exemptions_of_rules_that_do_not_run_are_not_looked_at(faults):
    assert faults("size", DEAD | {"dev/tidy-exemptions": "dead-code  other  gone\n"}) == []


def test_files_that_git_does_not_track_are_not_looked_at(faults):
    assert faults("size", {"built/long.swift": "\n" * 401, ".gitignore": "built/\n"}) == []


def test_the_command_says_where_and_fails(tmp_path):
    dev = pathlib.Path(__file__).resolve().parents[1]
    for name in ("tidy", *(f"tidy_rules/{it.name}" for it in (dev / "tidy_rules").glob("*.py"))):
        copy = tmp_path / "dev" / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text((dev / name).read_text())
    (tmp_path / "A.swift").write_text("\n" * 401)

    def run(*arguments):
        command = [sys.executable, "dev/tidy", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    assert run("size").returncode == 0
    subprocess.run(["git", "add", "A.swift"], cwd=tmp_path, check=True)
    failed = run("size")
    assert failed.returncode == 1
    assert failed.stdout.startswith("A.swift:401: error: ")
    assert run("--counts", "size").stdout.split() == ["1", "size"]
    assert run("none").returncode == 1
