"""How fast documents are checked: Martlet's rules beside simdjson and jsonschema-rs."""

import argparse
import dataclasses
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

from . import document, machine, rounds, validation_table
from .machine import ROOT
from .validation_documents import documents

RUNS = 9
# A run takes about so long, so that the clock and the start of it do not matter.
RUN_SECONDS = 0.1
TIMES_MOST = 1_000_000
# Instructions are counted as the difference of two numbers of times.
FEW, MANY = 20, 120

SWIFT = ROOT / "bench/rules/.build/release/martlet-validate-time"
PEERS = ROOT / "bench/peers"
SCRATCH = ROOT / "bench/results"
SIMDJSON = SCRATCH / "simdjson_time"
# On demand, simdjson uses the instructions that the compiler may; whole, those of the processor.
# AVX2 and not all there is: callgrind knows no AVX-512.
COMPILE = ("-O3", "-std=c++17", "-march=" + (
    "haswell" if platform.machine() == "x86_64" else "native"))


@dataclasses.dataclass(frozen=True)
class Way:
    """One way to check a document."""
    name: str
    text: str
    command: tuple
    # callgrind can count its instructions, and says something with them.
    counts: bool = True

    def arguments(self, schema, path, times):
        places = {"schema": schema, "document": path, "times": times}
        return [part.format(**places) for part in self.command]


def martlet_ways():
    rest = ("{schema}", "{document}", "{times}")
    return [
        Way("martlet scan", "strict parse", (str(SWIFT), "scan", *rest)),
        Way("martlet validate", "schema, document scanned before", (str(SWIFT), "validate", *rest)),
        Way("martlet scan + validate", "what a rule does", (str(SWIFT), "both", *rest)),
    ]


def simdjson_ways(left_out):
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None or not pathlib.Path("/usr/include/simdjson.h").is_file():
        left_out.append("simdjson (apt-get install g++ libsimdjson-dev)")
        return []
    SCRATCH.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [compiler, *COMPILE, "-o", str(SIMDJSON), str(PEERS / "simdjson_time.cpp"), "-lsimdjson"],
        check=True)
    return [
        Way("simdjson DOM", "parse", (str(SIMDJSON), "dom", "{document}", "{times}")),
        Way("simdjson on-demand", "parse, every value read",
            (str(SIMDJSON), "ondemand", "{document}", "{times}")),
    ]


def jsonschema_ways(left_out):
    program = str(PEERS / "jsonschema_rs_time.py")
    try:
        subprocess.run([sys.executable, "-c", "import jsonschema_rs"], check=True,
                       capture_output=True)
    except subprocess.CalledProcessError:
        left_out.append("jsonschema-rs (pip install -r bench/requirements.txt)")
        return []
    rest = ("{schema}", "{document}", "{times}")
    return [
        Way("jsonschema-rs", "schema, Python object at hand",
            (sys.executable, program, "parsed", *rest), counts=False),
        Way("json.loads + jsonschema-rs", "parse and schema",
            (sys.executable, program, "text", *rest), counts=False),
    ]


def nanoseconds(way, schema, path, times):
    """What all of so many times took."""
    run = subprocess.run(way.arguments(schema, path, times), capture_output=True, text=True)
    if run.returncode != 0:
        reason = (run.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SystemExit(f"error: {way.name} with {path.name}: {reason}")
    return int(run.stdout)


def times_for(way, schema, path, seconds):
    """How often to do it so that a run takes so long."""
    times = 10
    while True:
        took = nanoseconds(way, schema, path, times)
        if took >= seconds * 1e8 or times >= TIMES_MOST:
            return min(TIMES_MOST, max(1, round(times * seconds * 1e9 / max(took, 1))))
        times *= 10


def instructions(way, schema, path):
    """User instructions a document, counted by callgrind; starting up cancels out."""
    def count(times):
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run(
                ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out",
                 *way.arguments(schema, path, times)], capture_output=True, text=True)
        found = re.search(r"Collected : (\d+)", run.stderr)
        if run.returncode != 0 or not found:
            raise RuntimeError(run.stderr.strip().splitlines()[-1])
        return int(found.group(1))
    return (count(MANY) - count(FEW)) / (MANY - FEW)


def measure(ways, chosen, run_count, seconds, counts):
    """[{way, document, bytes, ns: [one a run], instructions}], the ways in turns."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = []
        for found in chosen:
            path = pathlib.Path(folder) / f"{found.name}.json"
            path.write_text(found.text)
            for way in ways:
                times = times_for(way, found.schema, path, seconds)
                jobs.append((way, found, path, times, {
                    "way": way.name, "document": found.name, "bytes": found.bytes, "ns": []}))
        for number in range(run_count):
            for way, found, path, times, result in jobs:
                result["ns"].append(nanoseconds(way, found.schema, path, times) / times)
            print(f"run {number + 1} of {run_count}", flush=True)
        if counts and shutil.which("valgrind"):
            for way, found, path, _, result in jobs:
                if way.counts:
                    result["instructions"] = counted(way, found, path)
    return [job[-1] for job in jobs]


def counted(way, found, path):
    try:
        return instructions(way, found.schema, path)
    except RuntimeError as failure:
        print(f"not counted: {way.name} with {found.name}: {failure}", flush=True)
        return None


def arguments():
    parser = argparse.ArgumentParser(prog="bench/validate")
    parser.add_argument("--quick", action="store_true", help="one short run, nothing counted")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--core", type=int, help="the core to run on; the last one if not said")
    parser.add_argument(
        "--write", action="store_true", help="also into docs/PERFORMANCE.md; not with --quick")
    options = parser.parse_args()
    if options.write and (options.quick or options.runs < RUNS):
        parser.error(f"--write takes {RUNS} runs")
    return options


def main():
    options = arguments()
    left_out = []
    ways = [*martlet_ways(), *simdjson_ways(left_out), *jsonschema_ways(left_out)]
    machine.pin(options.core)
    found = measure(
        ways, documents(), 1 if options.quick else options.runs,
        0.01 if options.quick else RUN_SECONDS, counts=not options.quick)
    results = {
        "machine": machine.facts(), "runs": 1 if options.quick else options.runs,
        "ways": {way.name: way.text for way in ways}, "left_out": left_out,
        "versions": validation_table.versions(left_out), "results": found}
    folder = document.FOLDER if options.write else document.SCRATCH
    rounds.write(folder / "validation.json", results)
    text = validation_table.section(json.loads((folder / "validation.json").read_text()))
    print("\n" + text)
    if options.write:
        document.publish("validation", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
