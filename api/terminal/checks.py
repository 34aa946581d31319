"""Checks on a terminal: who is well in a line, who is not step by step."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from api.terminal.columns import print_line, print_table
from api.terminal.times import lasting

_STYLES = {"ok": "bold green", "warned": "bold yellow", "failed": "bold red"}


def show_checks(console: Console, reports: Sequence[Mapping[str, Any]]) -> None:
    """A table of steps for each operator, with the cause and what to do; of several, those that are well in a line."""
    for report in reports:
        steps = report["steps"]
        who = (
            f"{report['email']} ({report['operator_id']})"
            if report["email"] != report["operator_id"]
            else report["email"]
        )
        took = lasting(sum(step["seconds"] for step in steps))
        print_line(console, f"{who}: {report['verdict']}, after {took}", _STYLES[report["verdict"]])
        if report["verdict"] == "ok" and len(reports) > 1:
            continue
        print_table(
            console,
            ("Step", "Result", "Took#", "What~"),
            [
                (
                    step["name"].replace("_", " "),
                    step["result"],
                    lasting(step["seconds"]) if step["seconds"] else "",
                    step["message"],
                )
                for step in steps
            ],
            indent=2,
        )
        for step in steps:
            if step["remedy"]:
                cause = f"{step['code']}: {step['cause']} " if step["cause"] else ""
                print_line(console, f"{cause}What to do: {step['remedy']}", indent=2)
