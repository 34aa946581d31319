"""The file the benchmark measures: a hundred rows wrong in ten ways, each named."""

from bench.imports import WRONG, Options, make_file, measure
from engine.imports.wizard import preview


def test_each_wrong_row_is_named_and_the_right_ones_land() -> None:
    options = Options(rows=1000, wrong=100)
    data, operators, wrong = make_file(options)
    found = preview(data, operators)
    assert [row.line for row in found.errors()] == wrong
    assert len({row.problems[0].code for row in found.errors()}) == len(WRONG) == 10
    counts = found.counts()
    assert counts["new"] + counts["changed"] + counts["unchanged"] == 900
    assert len(found.operators()) == counts["new"] + counts["changed"]


def test_the_benchmark_runs() -> None:
    report = measure(Options(rows=200, wrong=10, rounds=1))
    assert report.figures["counts"]["error"] == 10
    assert "preview" in report.as_table()
