"""What dev/tidy understands of Swift."""

import pytest

from tidy_rules.declarations import declarations
from tidy_rules.swift import code_only


@pytest.mark.parametrize(
    "text, code",
    [
        ("a // b", "a"),
        ("a /* b /* c */ d */ e", "a e"),
        ('let a = "b" + c', "let a = + c"),
        (r'"a \(b + "c \(d)") e" + f', "b + d + f"),
        (r'#"a\(b) \#(c)"# + d', "c + d"),
        ('#"""# + a', "+ a"),
        (r'"a \" b" + c', "+ c"),
        ('"""\na "b"\n""" + c', "+ c"),
        ('"// a" + b', "+ b"),
        (r'if a.wholeMatch(of: /"[/\/]{/) != nil', "if a.wholeMatch(of: ) != nil"),
        ("f(#/a/b/#) + c", "f( ) + c"),
        ("a = b / c / d", "a = b / c / d"),
        ("a\n/// b\nc", "a c"),
    ],
)
def test_comments_and_literals_are_no_code(text, code):
    found = code_only(text)
    assert found.split() == code.split()
    assert [len(line) for line in found.split("\n")] == [len(line) for line in text.split("\n")]


def found(text):
    return {(it.path, it.kind, it.line, it.end_line) for it in declarations(text, code_only(text))}


def test_members_are_found_and_locals_are_not():
    assert found(
        """\
struct A {
    let b: Int
    var c: Int { b }
    init?(d: () -> Int = { 1 }) {
        let e = d()
        if let f = e { self.init(f) }
    }
    class func g() {
        func h() {}
        switch b { case .some(let i): i }
    }
}
enum J { case k, l(Int, m: Int),
    n
    case `default`
}
extension A.O: P where Q == R {
    typealias S = Int
}
"""
    ) == {
        ("A", "struct", 1, 12), ("A.b", "let", 2, 2), ("A.c", "var", 3, 3), ("A.init", "init", 4, 7),
        ("A.g", "func", 8, 11), ("A.g.h", "func", 9, 9),
        ("J", "enum", 13, 16), ("J.k", "case", 13, 13), ("J.l", "case", 13, 13), ("J.n", "case", 13, 13),
        ("J.default", "case", 15, 15),
        ("A.O", "extension", 17, 19), ("A.O.S", "typealias", 18, 18),
    }  # fmt: skip


def test_a_comment_stands_above_the_attributes_of_what_it_is_about():
    text = "/// One.\n@inlinable\n@safe public func a() {}\n\n// Two.\n\nvar b = 1\n"
    a, b = declarations(text, code_only(text))
    assert (a.comment, a.first_line, a.line) == (["/// One."], 2, 3)
    assert b.comment == []
    assert a.has("public") and not b.has("public")


def test_what_is_public_by_where_it_stands():
    text = """\
public protocol A { func b() }
public extension C { func d() {}
    private func e() {} }
public enum F { case g }
public struct H { var i: Int
    public private(set) var j: Int }
"""
    public = {it.path for it in declarations(text, code_only(text)) if it.is_public}
    assert public == {"A", "A.b", "C", "C.d", "F", "F.g", "H", "H.j"}
