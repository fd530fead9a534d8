"""How fast documents are checked: Martlet's rules beside simdjson and jsonschema-rs."""

import pathlib
import shutil
import subprocess
import tempfile

import instructions

from .. import document, machine, rounds, table
from ..comparison import Comparison
from ..figures import Spread
from ..systems import installed
from .documents import documents
from .ways import prepare, ways

# A run takes about so long, so that the clock and the start of it do not matter.
RUN_SECONDS, QUICK_SECONDS = 0.1, 0.01
TIMES_MOST = 1_000_000
# Instructions are counted as the difference of two numbers of times.
FEW, MANY = 20, 120


def run(comparison, options, path):
    comparison.prepare()
    found, left_out = installed(comparison.systems(), options.systems)
    machine.pin()
    results = measure(
        found, rounds.chosen(comparison, options), options.rounds,
        QUICK_SECONDS if options.quick else RUN_SECONDS, counts=not options.quick)
    versions = dict.fromkeys(version for way in found for version in way.versions)
    document.record(path, {
        "machine": machine.facts(), "runs": options.rounds,
        "ways": {way.name: way.text for way in found}, "left_out": left_out,
        "versions": [version() for version in versions], "results": results})


def nanoseconds(way, schema, path, times):
    """What all of so many times took."""
    run = subprocess.run(way.command(schema, path, times), capture_output=True, text=True)
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


def instructions_each(way, schema, path):
    """User instructions a document, counted by callgrind; starting up cancels out."""
    few, many = (instructions.of_command(way.command(schema, path, times)) for times in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def measure(ways, chosen, run_count, seconds, counts):
    """[{way, document, bytes, ns: [one a run], instructions}], the ways in turns."""
    with tempfile.TemporaryDirectory() as folder:
        jobs = []
        for found in chosen:
            path = pathlib.Path(folder) / f"{found.name}.json"
            path.write_text(found.content)
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
        return instructions_each(way, found.schema, path)
    except SystemExit as failure:
        print(f"not counted: {way.name} with {found.name}: {failure}", flush=True)
        return None


EXPLANATION = """"martlet scan" is a strict parse: UTF-8, numbers, escapes, no duplicate keys. simdjson
parses and knows no schemas; on demand every value is read, because what nobody reads is not checked.
jsonschema-rs validates Python objects: one that is at hand, or one that json.loads has just made.
Instructions are counted by callgrind, in which simdjson finds AVX2 at most."""


def section(comparison, results):
    return f"""{about(results)}

{EXPLANATION}

{speeds(results)}

[Every run](performance/{comparison.file})"""


def about(results):
    return (
        f"{table.machine(results['machine'])} {', '.join(results['versions'])}. {results['runs']} "
        f"runs in turns: medians, with the least and the most.{table.left_out(results)}")


def speeds(results):
    rows = []
    for result in results["results"]:
        took = Spread.of(result["ns"])
        # A byte a nanosecond is a gigabyte a second.
        speed = Spread.of(result["bytes"] / value for value in result["ns"])
        each = result.get("instructions")
        rows.append([
            result["document"], f"{result['bytes']:,}",
            f"{result['way']} ({results['ways'][result['way']]})", table.spread(took),
            table.spread(speed), table.number(each / result["bytes"]) if each else "–"])
    return table.markdown(
        ["document", "bytes", "", "ns a document", "GB/s", "instructions a byte"], rows)


VALIDATION = Comparison(
    name="validation", text="how fast documents are parsed and checked, on one core", systems=ways,
    workloads=documents(), rounds_min=9, prepare=prepare, measure=run, section=section)
