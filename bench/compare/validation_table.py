"""How fast documents are checked, as Markdown."""

import importlib.metadata
import platform
import subprocess

from .figures import Spread
from .table import number, spread


def versions(left_out):
    """Of those that are beside Martlet."""
    found = []
    if not any(text.startswith("simdjson") for text in left_out):
        package = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Version}", "libsimdjson-dev"],
            capture_output=True, text=True)
        found.append(f"simdjson {package.stdout or 'of unknown version'}")
    if not any(text.startswith("jsonschema-rs") for text in left_out):
        found.append(f"jsonschema-rs {importlib.metadata.version('jsonschema-rs')}")
        found.append(f"Python {platform.python_version()}")
    return found


def about(results):
    facts = results["machine"]
    left_out = "".join(f" Left out: {text}." for text in results["left_out"])
    return (
        f"{facts['processor']}, one core; Linux {facts['kernel']}; {facts['compiler']}; commit "
        f"{facts['commit']}; {facts['date']}. {', '.join(results['versions'])}. {results['runs']} "
        f"runs in turns: medians, with the least and the most.{left_out}")


EXPLANATION = """"martlet scan" is a strict parse: UTF-8, numbers, escapes, no duplicate keys. simdjson
parses and knows no schemas; on demand every value is read, because what nobody reads is not checked.
jsonschema-rs validates Python objects: one that is at hand, or one that json.loads has just made.
Instructions are counted by callgrind, in which simdjson finds AVX2 at most."""


def section(results):
    return f"{about(results)}\n\n{EXPLANATION}\n\n{table(results)}\n\n" \
        "[Every run](performance/validation.json)"


def table(results):
    lines = [
        "| document | bytes | | ns a document | GB/s | instructions a byte |",
        "|---|---|---|---|---|---|"]
    for result in results["results"]:
        took = Spread.of(result["ns"])
        # A byte a nanosecond is a gigabyte a second.
        speed = Spread.of(result["bytes"] / value for value in result["ns"])
        counted = result.get("instructions")
        per_byte = number(counted / result["bytes"]) if counted else "–"
        what = f"{result['way']} ({results['ways'][result['way']]})"
        lines.append(
            f"| {result['document']} | {result['bytes']:,} | {what} | {spread(took)} "
            f"| {spread(speed)} | {per_byte} |")
    return "\n".join(lines)
