"""The page of memory in which counter.c counts, as a test sees it."""

import mmap
import os
import pathlib
import re
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

# The order of counter.c.
KINDS = ("malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "memalign", "free", "mmap",
         "munmap", "brk", "madvise", "lock", "send")
# What may not happen. The kernel's calls that malloc makes itself hide behind a malloc that counts.
ALLOCATIONS = tuple(kind for kind in KINDS if kind not in ("free", "lock", "send"))


class Counter:
    """Builds the shim, and gives each broker process a page to count in."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.library = pathlib.Path(self.folder.name) / "counter.so"
        compiler = os.environ.get("CC", "cc")
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(self.library),
             str(HERE / "counter.c")], check=True)
        self.pages = 0

    def page(self):
        self.pages += 1
        return Counts(pathlib.Path(self.folder.name) / f"page{self.pages}", self.library)

    def close(self):
        self.folder.cleanup()


class Counts:
    def __init__(self, path, library):
        path.write_bytes(bytes(4096))
        self.environment = {"LD_PRELOAD": str(library), "ALLOCATION_COUNTS": str(path)}
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 4096)

    def read(self):
        values = memoryview(self.memory).cast("Q")
        counts = {kind: values[1 + i] for i, kind in enumerate(KINDS)}
        values.release()
        return counts

    def trace(self, count):
        """Writes backtraces of the next `count` calls to the broker's standard error."""
        self.memory[:8] = count.to_bytes(8, "little")


def readable(trace, binary):
    """A backtrace of counter.c with function names and lines in place of addresses."""
    frames = re.findall(r"^(\S+?)\((?:[^)]*?)\+?(0x[0-9a-f]+)?\)\[(0x[0-9a-f]+)\]$", trace, re.M)
    offsets = [offset for path, offset, _ in frames if path.endswith(binary.name) and offset]
    text = subprocess.run(
        ["addr2line", "-f", "-s", "-e", str(binary), *offsets], capture_output=True, text=True).stdout
    text = subprocess.run(
        ["swift", "demangle", "--simplified"], input=text, capture_output=True, text=True).stdout
    lines = text.splitlines()
    return [f"{name[:100]} ({place})" for name, place in zip(lines[::2], lines[1::2])]
