"""The ways to check a document that validation times."""

import dataclasses
import importlib.metadata
import importlib.util
import pathlib
import platform
import shutil
import subprocess
import sys

from ..document import SCRATCH
from ..machine import ROOT

SWIFT = ROOT / "bench/rules/.build/release/martlet-validate-time"
PEERS = ROOT / "bench/peers"
SIMDJSON = SCRATCH / "simdjson_time"
# On demand, simdjson uses the instructions that the compiler may; whole, those of the processor.
# AVX2 and not all there is: callgrind knows no AVX-512.
COMPILE = ("-O3", "-std=c++17", "-march=" + (
    "haswell" if platform.machine() == "x86_64" else "native"))


@dataclasses.dataclass(frozen=True)
class Way:
    """One way to check a document, as a program that is told how often and prints nanoseconds."""
    name: str
    text: str
    program: str
    arguments: tuple
    install: str
    # What it needs and whose version that is; the commit says Martlet's.
    versions: tuple = ()
    # callgrind can count its instructions, and says something with them.
    counts: bool = True

    @property
    def path(self):
        return shutil.which(self.program)

    def command(self, schema, path, times):
        places = {"schema": schema, "document": path, "times": times}
        return [self.program, *(part.format(**places) for part in self.arguments)]


def ways():
    rest = ("{schema}", "{document}", "{times}")
    own = "swift build -c release --package-path bench/rules"
    return (
        Way("martlet scan", "strict parse", str(SWIFT), ("scan", *rest), own),
        Way("martlet validate", "schema, document scanned before", str(SWIFT),
            ("validate", *rest), own),
        Way("martlet scan + validate", "what a rule does", str(SWIFT), ("both", *rest), own),
        *simdjson_ways(), *jsonschema_ways(rest))


def simdjson_ways():
    install, versions = "apt-get install g++ libsimdjson-dev", (simdjson_version,)
    return (
        Way("simdjson DOM", "parse", str(SIMDJSON), ("dom", "{document}", "{times}"), install,
            versions),
        Way("simdjson on-demand", "parse, every value read", str(SIMDJSON),
            ("ondemand", "{document}", "{times}"), install, versions))


def jsonschema_ways(rest):
    found = importlib.util.find_spec("jsonschema_rs")
    program = sys.executable if found else "python with jsonschema-rs"
    script = str(PEERS / "jsonschema_rs_time.py")
    install = "pip install -r bench/requirements.txt"
    versions = (jsonschema_version, python_version)
    return (
        Way("jsonschema-rs", "schema, Python object at hand", program,
            (script, "parsed", *rest), install, versions, counts=False),
        Way("json.loads + jsonschema-rs", "parse and schema", program,
            (script, "text", *rest), install, versions, counts=False))


def simdjson_version():
    package = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", "libsimdjson-dev"], capture_output=True, text=True)
    return f"simdjson {package.stdout or 'of unknown version'}"


def jsonschema_version():
    return f"jsonschema-rs {importlib.metadata.version('jsonschema-rs')}"


def python_version():
    return f"Python {platform.python_version()}"


def prepare():
    """Compiles what calls simdjson; without a compiler or simdjson that is left out."""
    SCRATCH.mkdir(parents=True, exist_ok=True)
    SIMDJSON.unlink(missing_ok=True)
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler and pathlib.Path("/usr/include/simdjson.h").is_file():
        subprocess.run(
            [compiler, *COMPILE, "-o", str(SIMDJSON), str(PEERS / "simdjson_time.cpp"),
             "-lsimdjson"], check=True)
