"""Finds the declarations of a Swift file that is written as swift-format leaves it."""

import bisect
import dataclasses
import re

TYPES = ("class", "struct", "enum", "actor", "protocol")
SCOPES = TYPES + ("extension",)
_MEMBERS = ("init", "deinit", "subscript", "let", "var", "case", "typealias", "associatedtype", "func")
_TOKEN = re.compile(r"[A-Za-z_]\w*|`\w+`|[{}()\[\],]")
_MODIFIER_AFTER_CLASS = re.compile(r"\s+(func|var|let|subscript|final|override)\b")
_NAME = re.compile(r"\s+(?:\(\s*)?(`?[A-Za-z_][\w.]*`?|[^\s\w(]+)")
_ATTRIBUTE_LINE = re.compile(r"^\s*@(?!.*\b(?:" + "|".join(SCOPES + _MEMBERS) + r")\b)")


@dataclasses.dataclass
class Declaration:
    kind: str
    name: str
    line: int
    # Where its attributes begin, and where its body ends.
    first_line: int
    end_line: int
    # The attributes and modifiers before its keyword; all of its text behind its name, up to its body.
    head: str
    tail: str
    # The comment above it.
    comment: list
    parent: "Declaration | None"
    # Where its tail begins in the file.
    tail_start: int

    @property
    def path(self):
        """Its name behind those of the types that it is in."""
        return f"{self.parent.path}.{self.name}" if self.parent else self.name

    def has(self, modifier):
        return re.search(rf"(?<![@\w]){modifier}\b(?!\()", self.head) is not None

    @property
    def is_public(self):
        if self.has("public") or self.has("open"):
            return True
        if self.parent is None or any(map(self.has, ("private", "fileprivate", "internal", "package"))):
            return False
        inherits = self.kind == "case" or self.parent.kind in ("protocol", "extension")
        return inherits and self.kind != "extension" and self.parent.is_public


def declarations(text, code):
    """Types, extensions, functions and members, wherever they are; not what functions hold in variables."""
    return _Reader(text, code).read()


class _Reader:
    def __init__(self, text, code):
        self.code = code
        self.lines = text.split("\n")
        self.code_lines = code.split("\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.found = []
        # For each brace that is open: what it is the body of, and what stood open outside it.
        self.braces = []
        # Whose body may follow, and in how many parentheses it was declared.
        self.pending, self.pending_depth = None, 0

    def line_of(self, offset):
        return bisect.bisect_right(self.starts, offset)

    def read(self):
        depth, before = 0, ""
        for token in _TOKEN.finditer(self.code):
            word = token.group()
            if word in "([":
                depth += 1
            elif word in ")]":
                depth -= 1
            elif word == "{":
                depth = self.open(token, depth)
            elif word == "}" and self.braces:
                depth = self.close(token)
            elif word in SCOPES or word in _MEMBERS:
                self.keyword(word, token, depth, before)
            before = word
        return self.found

    def open(self, token, depth):
        is_body = self.pending is not None and self.pending_depth == depth
        body = self.pending if is_body else None
        if body:
            body.tail = body.tail or self.code[body.tail_start : token.start()]
        self.braces.append((body, depth, None if is_body else self.pending, self.pending_depth))
        self.pending = None
        return 0

    def close(self, token):
        body, depth, self.pending, self.pending_depth = self.braces.pop()
        if body:
            body.end_line = self.line_of(token.start())
        return depth

    def keyword(self, word, token, depth, before):
        scope = self.braces[-1][0] if self.braces else None
        is_member = depth == 0 and (not self.braces or scope is not None and scope.kind in SCOPES)
        if self.code[token.start() - 1 : token.start()] == "." or (
            word == "class" and _MODIFIER_AFTER_CLASS.match(self.code, token.end())
        ):
            return
        if not is_member and (word not in TYPES + ("func",) or depth and word != "func"):
            return
        if word in ("let", "var") and before in ("if", "guard", "while", "case", "for", ","):
            return
        if word == "case":
            if scope is not None and scope.kind == "enum":
                self.cases(token, scope)
            return
        if word in ("init", "deinit", "subscript"):
            self.add(word, word, token, token.end(), depth)
        elif name := _NAME.match(self.code, token.end()):
            self.add(word, name.group(1).strip("`"), token, name.end(), depth)

    def cases(self, token, scope):
        """`case a, b(Int), c = 1`, on as many lines as commas carry it."""
        depth, line = 0, self.line_of(token.start())
        expects_name = True
        for part in re.finditer(r"`?[A-Za-z_]\w*`?|[(\[]|[)\]]|,|\n|\}|[^\s]", self.code[token.end() :]):
            word = part.group()
            if word in "([":
                depth += 1
            elif word in ")]":
                depth -= 1
            elif depth == 0 and word == ",":
                expects_name = True
            elif depth == 0 and (word == "}" or word == "\n" and not expects_name):
                break
            elif depth == 0 and expects_name and word != "\n":
                end = token.end() + part.end()
                self.add("case", word.strip("`"), token, end, 0)
                self.found[-1].tail = "(" if self.code[end : end + 1] == "(" else ""
                expects_name = False
        self.pending = None

    def add(self, kind, name, token, name_end, depth):
        line = first = self.line_of(token.start())
        while first > 1 and _ATTRIBUTE_LINE.match(self.code_lines[first - 2]):
            first -= 1
        above = first
        while above > 1 and self.lines[above - 2].lstrip().startswith("//"):
            above -= 1
        parents = [body for body, *_ in self.braces if body]
        before = max(self.code.rfind(c, 0, token.start()) for c in "{};")
        head_start = max(self.starts[first - 1], before + 1)
        declaration = Declaration(
            kind=kind,
            name=name,
            line=line,
            first_line=first,
            end_line=line,
            head=self.code[head_start : token.start()],
            tail="",
            comment=[text.strip() for text in self.lines[above - 1 : first - 1]],
            parent=parents[-1] if parents else None,
            tail_start=name_end,
        )
        self.found.append(declaration)
        self.pending, self.pending_depth = declaration, depth
