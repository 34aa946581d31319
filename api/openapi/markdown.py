"""``python -m api.openapi.markdown``: writes the tables of docs/api.md from the routes. A test compares the two."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from api.openapi.operations import address, holders, tag
from api.openapi.schemas import path_parameters
from api.problems import codes
from api.routes import Access, Route
from engine.access.roles import Permission, Role

PAGE = Path(__file__).resolve().parents[2] / "docs" / "api.md"
_PAGING = {"limit", "cursor"}


def updated(text: str, routes: Sequence[Route]) -> str:
    """The page with its tables made anew; what stands around them is kept."""
    for name, table in (("endpoints", endpoints(routes)), ("errors", errors())):
        head, opened, rest = text.partition(f"<!-- made: {name} -->\n")
        _, closed, tail = rest.partition("<!-- /made -->")
        text = f"{head}{opened}{table}{closed}{tail}"
    return text


def endpoints(routes: Sequence[Route]) -> str:
    """A table for each resource."""
    groups: dict[str, list[Route]] = {}
    for route in routes:
        groups.setdefault(tag(route), []).append(route)
    return "".join(_group(name, groups[name]) for name in sorted(groups))


def errors() -> str:
    """Which codes each status comes with."""
    rows = "".join(f"| {status} | {_in_code(found)} |\n" for status, found in sorted(codes().items()))
    return f"| status | codes |\n|---|---|\n{rows}"


def _group(name: str, routes: Sequence[Route]) -> str:
    head = f"**{name}**\n\n| request | what it is | who may |\n|---|---|---|\n"
    return head + "".join(_row(route) for route in sorted(routes, key=lambda one: one.path)) + "\n"


def _row(route: Route) -> str:
    return f"| `{route.method} {address(route)}` | {route.summary}{_parameters(route)} | {_who(route)} |\n"


def _parameters(route: Route) -> str:
    in_path = {parameter.name for parameter in path_parameters(route)}
    names = [parameter.name for parameter in route.parameters if parameter.name not in in_path | _PAGING]
    return f"; parameters {_in_code(names)}" if names else ""


def _who(route: Route) -> str:
    if route.access is Access.PUBLIC:
        return "whoever asks"
    if not isinstance(route.access, Permission) or len(holders(route.access)) == len(Role):
        return "every role"
    return ", ".join(holders(route.access))


def _in_code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    from api.app import ROUTES

    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8"), ROUTES), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")
