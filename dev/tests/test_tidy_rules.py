"""Each rule of dev/tidy passes what it is to pass, and finds what it is to find."""

import pathlib
import subprocess
import sys

import pytest

BROKER = "Sources/MartletBroker"
MAP = "docs/ARCHITECTURE.md"


def test_safe_types_state_their_safety(faults):
    stated = "/// A.\n///\n/// SAFETY: one thread.\n@safe\nfinal class A: @unchecked Sendable {}\n"
    unstated = "/// B.\n@safe\nstruct B {\n    /// SAFETY: inner.\n    @safe struct C {}\n}\n"
    sent = "// No promise.\nextension D: @unchecked\n    Sendable {}\n// @safe\nlet e = \"@safe\"\n"
    assert faults("safety", {"Sources/A.swift": stated}) == []
    assert faults("safety", {"Sources/B.swift": unstated, "Sources/D.swift": sent}) == [
        ("Sources/B.swift", 3, "B"),
        ("Sources/D.swift", 2, "D"),
    ]


def test_an_empty_safety_line_is_none(faults):
    assert faults("safety", {"Sources/A.swift": "/// SAFETY:\n@safe struct A {}\n"}) != []


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
    document = "### Locks\n\n1. `A.state`: `Never.mind`.\n2. `B`, alone.\n\n## More\n\n- `Not.this`\n"
    assert faults("locks", {"Sources/A.swift": LOCKS, MAP: document}) == []


def test_locks_are_missed_and_missing(faults):
    document = "### Locks\n\n- `A.gone`: nothing.\n- `B.c`: B.\n"
    assert faults("locks", {"Sources/A.swift": LOCKS, MAP: document}) == [
        ("Sources/A.swift", 5, "A.state"),
        (MAP, 3, "A.gone"),
    ]


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


WORDS = """\
# A comment.
text  goblin  no magic
text  /\\bspell \\d+\\b/  no magic
swift  bell  wakeup
swift  toldApart  frame
name  letter  command
name  /^note[A-Z]/  record
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
    ],
)
def test_words_that_are_listed_are_found(faults, name, line, word):
    assert faults("words", {"dev/tidy-words": WORDS, name: f"\n{line}\n"}) == [(name, 2, f"{name}:{word}")]


def test_an_exempted_word_may_stand_among_the_exemptions(faults):
    exemptions = "words  b.md:goblin  a tale\n"
    files = {"dev/tidy-words": WORDS, "b.md": "a goblin\n", "dev/tidy-exemptions": exemptions}
    assert faults("words", files) == []


def test_a_table_of_words_that_cannot_be_read_is_a_fault(faults):
    assert faults("words", {"dev/tidy-words": "text goblin\nbook  a  b\n"}) != []


LIVE = """\
@main struct Program { static func main() { A().b(.c("\\(d)")) } }
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
func use() { print(words, use) }
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
