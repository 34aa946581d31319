"""``python -m bench NAME``: run a benchmark; JSON goes to standard output, a short table to standard error."""

import sys
from argparse import ArgumentParser
from importlib import import_module
from types import ModuleType

NAMES = (
    "backfill",
    "footprint",
    "imports",
    "importing",
    "landing",
    "queries",
    "notices",
    "live",
    "outage",
    "moods",
    "backlog",
    "privacy",
    "associations",
    "associated",
    "api-fuzz",
)


def _module(name: str) -> ModuleType:
    return import_module(f"bench.{name.replace('-', '_')}")


def main(arguments: list[str] | None = None) -> None:
    """Run one benchmark."""
    parser = ArgumentParser(prog="python -m bench", description="Benchmarks of Mailroom.")
    commands = parser.add_subparsers(dest="name", required=True)
    for name in NAMES:
        module = _module(name)
        command = commands.add_parser(name, help=(module.__doc__ or "").partition(": ")[2].splitlines()[0])
        command.add_argument("--save", action="store_true", help="write the JSON to bench/results as well")
        module.configure(command)
    given = parser.parse_args(arguments)
    report = _module(given.name).run(given)
    print(report.as_json())
    print(report.as_table(), file=sys.stderr)
    if given.save:
        print(f"  written to {report.save()}", file=sys.stderr)


if __name__ == "__main__":
    main()
