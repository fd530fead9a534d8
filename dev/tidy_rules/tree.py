"""The files that git tracks, read once each."""

import functools
import pathlib
import subprocess

from .declarations import declarations
from .swift import code_only


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=self.root, capture_output=True, text=True, check=True
        ).stdout
        # A file that was moved and not yet committed is still listed.
        self.files = sorted(name for name in listed.split("\0") if name and (self.root / name).is_file())
        self.folders = {str(parent) for name in self.files for parent in pathlib.PurePath(name).parents}

    def named(self, suffix, *folders):
        """The files that end like this, of some folders or of all."""
        return [
            name
            for name in self.files
            if name.endswith(suffix) and (not folders or name.startswith(tuple(f"{it}/" for it in folders)))
        ]

    @functools.lru_cache(maxsize=None)
    def text(self, name):
        """The text of a file; nothing when there is no such file, or when it is not text."""
        try:
            return (self.root / name).read_text(encoding="utf-8")
        except (FileNotFoundError, UnicodeDecodeError):
            return ""

    def lines(self, name):
        return self.text(name).splitlines()

    @functools.lru_cache(maxsize=None)
    def code(self, name):
        """The text of a Swift file with spaces for comments and for what literals say."""
        return code_only(self.text(name))

    @functools.lru_cache(maxsize=None)
    def declarations(self, name):
        return declarations(self.text(name), self.code(name))
