"""``imports``: how long a preview of a large operator file takes, and what memory: this process alone, nothing put."""

import gc
import json
import random
import time
import tracemalloc
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass

from bench.report import Report, settings_of
from engine.imports.wizard import preview
from engine.model import Operator, OperatorId

WRONG = (
    '{n},w{n}@x.example,"Ann "the boss" Lee",true',
    "{n},w{n}@x.example,Lee, Ann,true",
    "{n},w{n}@x.example",
    "{n},not an address,Ann,true",
    "{n},a{n}@x.example;b{n}@x.example,Ann,true",
    "{n},w{n}@x.example,Ann,perhaps",
    "1.2E+17,w{n}@x.example,Ann,true",
    "{n},w{n}@x.example,Ann\x07,true",
    "{n},,Ann,true",
    "{n},#N/A,Ann,true",
)


@dataclass(frozen=True, slots=True)
class Options:
    """``known``: the part of the rows whose operators there are already, half of them changed."""

    rows: int = 50_000
    wrong: int = 100
    known: float = 0.5
    rounds: int = 3
    seed: int = 1


def configure(parser: ArgumentParser) -> None:
    """The options of the command line."""
    default = Options()
    parser.add_argument("--rows", type=int, default=default.rows)
    parser.add_argument("--wrong", type=int, default=default.wrong, help="rows in error, in ten ways")
    parser.add_argument("--known", type=float, default=default.known, help="part of the rows with operators there are")
    parser.add_argument("--rounds", type=int, default=default.rounds)
    parser.add_argument("--seed", type=int, default=default.seed)


def run(given: Namespace) -> Report:
    """Make a file, then preview it."""
    return measure(Options(given.rows, given.wrong, given.known, given.rounds, given.seed))


def make_file(options: Options) -> tuple[bytes, dict[OperatorId, Operator], list[int]]:
    """A file, the operators there are, and the lines that are wrong."""
    chance = random.Random(options.seed)
    wrong = sorted(chance.sample(range(options.rows), options.wrong))
    bad = {number: WRONG[place % len(WRONG)] for place, number in enumerate(wrong)}
    lines, operators = ["operator_id,email,name,email_sync"], {}
    for number in range(options.rows):
        who, email = OperatorId(f"P{number:06d}"), f"person{number}@example.com"
        name = f"Zoë Müller-{number}"
        if number in bad:
            lines.append(bad[number].format(n=f"W{number}"))
            continue
        if chance.random() < options.known:
            operators[who] = Operator(who, email, name if chance.random() < 0.5 else "Another Name")
        lines.append(f'{who},{email},"{name}",yes')
    return "\r\n".join(lines).encode(), operators, [number + 2 for number in wrong]


def measure(options: Options) -> Report:
    """The best of some rounds for time; memory in a round of its own, for tracing it costs time."""
    data, operators, wrong = make_file(options)
    seconds, cpu = [], []
    for _ in range(options.rounds):
        gc.collect()
        began, used = time.perf_counter(), time.process_time()
        found = preview(data, operators)
        seconds.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    if [row.line for row in found.errors()] != wrong:
        raise RuntimeError("the preview does not name the rows that are wrong")
    del found
    gc.collect()
    tracemalloc.start()
    found = preview(data, operators)
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    began = time.perf_counter()
    size = len(json.dumps(found.as_data()))
    figures = {
        "bytes": len(data),
        "counts": found.counts(),
        "codes": sorted({problem.code.value for row in found.errors() for problem in row.problems}),
        "seconds": [round(one, 3) for one in seconds],
        "cpu_seconds": [round(one, 3) for one in cpu],
        "peak_mb": round(peak / 1e6, 1),
        "kept_mb": round(kept / 1e6, 1),
        "json_mb": round(size / 1e6, 1),
        "json_seconds": round(time.perf_counter() - began, 3),
    }
    rows = [
        ("file", f"{options.rows:,} rows, {len(data) / 1e6:.1f} MB, {options.wrong} wrong"),
        ("preview", f"{min(seconds):.2f} s ({min(cpu):.2f} s CPU), peak {peak / 1e6:.0f} MB, kept {kept / 1e6:.0f} MB"),
        ("as JSON", f"{size / 1e6:.1f} MB in {figures['json_seconds']} s"),
    ]
    return Report("imports", settings_of(options), figures, rows)
