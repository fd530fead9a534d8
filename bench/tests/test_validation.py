"""Validation: its documents, its ways, and what is made of its figures."""

import json
import pathlib
import sys

import pytest

from compare.comparisons import validation, ways
from compare.comparisons.documents import documents
from compare.comparisons.validation import VALIDATION
from compare.comparisons.ways import Way


def test_documents_are_json_of_about_their_size_with_a_schema():
    sizes = [349, 1_024, 4_096, 65_536]
    for document, size in zip(documents(), sizes, strict=True):
        json.loads(document.content)
        json.loads(document.schema.read_text())
        assert 0.97 * size <= document.bytes <= size


def test_documents_are_valid_and_their_schemas_refuse_others():
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    for document in documents():
        validator = jsonschema_rs.validator_for(json.loads(document.schema.read_text()))
        value = json.loads(document.content)
        assert validator.is_valid(value), document.name
        last = value["items"][-1] if "items" in value else value["statuses"][-1]["user"]
        last[list(last)[0]] = "none"
        assert not validator.is_valid(value), document.name


def fake_way(name="fake", program="print(1000 * int(sys.argv[1]))"):
    return Way(
        name, "made up", sys.executable, ("-c", f"import sys; {program}", "{times}"), "",
        counts=False)


def test_runs_are_in_turns_and_a_figure_is_per_document(tmp_path):
    log = tmp_path / "log"
    program = f"open('{log}', 'a').write('%s '); print(1000 * int(sys.argv[1]))"
    ways = [fake_way("one", program % 1), fake_way("two", program % 2)]
    found = validation.measure(ways, documents()[:1], 3, 0.001, counts=False)
    assert [result["ns"] for result in found] == [[1_000.0] * 3] * 2
    assert log.read_text().split()[-6:] == ["1", "2"] * 3


def test_a_way_that_fails_ends_with_its_reason():
    way = fake_way(program="sys.exit('the document is not valid')")
    with pytest.raises(SystemExit, match="fake with d.json: the document is not valid"):
        validation.nanoseconds(way, "schema", pathlib.Path("d.json"), 1)


def test_the_table_has_speed_and_instructions_a_byte():
    results = {
        "machine": {"processor": "one", "cores": 1, "memory_gib": 4, "kernel": "6",
                    "compiler": "Swift", "commit": "abc", "date": "2026-01-01"},
        "runs": 3, "left_out": ["simdjson (apt-get …)"], "versions": ["jsonschema-rs 1"],
        "ways": {"a": "parse", "b": "schema"},
        "results": [
            {"way": "a", "document": "order", "bytes": 400, "ns": [200.0, 400.0, 100.0],
             "instructions": 3_000.0},
            {"way": "b", "document": "order", "bytes": 400, "ns": [4_000.0], "instructions": None}]}
    text = VALIDATION.section(VALIDATION, results)
    assert "| order | 400 | a (parse) | 200 (100..400) | 2.00 (1.00..4.00) | 7.50 |" in text
    assert "| order | 400 | b (schema) | 4,000 | 0.10 | – |" in text
    assert "Left out: simdjson" in text


@pytest.mark.parametrize("way", ways.ways(), ids=lambda way: way.name)
def test_every_way_finds_every_document_valid(tmp_path, way):
    ways.prepare()
    if way.path is None:
        pytest.skip(f"needs {way.install}")
    for version in way.versions:
        assert version().split()[-1][0].isdigit()
    for document in documents():
        path = tmp_path / "document.json"
        path.write_text(document.content)
        assert validation.nanoseconds(way, document.schema, path, 2) > 0
