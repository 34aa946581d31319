"""The import rules of DESIGN section 4, read from the source: who may know whom."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("engine", "actors", "api", "tests", "bench")
PURE = (
    "engine.access",
    "engine.alerts.decide",
    "engine.alerts.policy",
    "engine.alerts.words",
    "engine.sync",
    "engine.jobs",
    "engine.placement",
    "engine.schedule",
    "engine.sharing",
    "engine.failure_triggers",
    "engine.failures",
    "engine.subscriptions",
)
IMPURE = ("aiohttp", "requests", "duckdb", "ray", "exchangelib", "random", "secrets", "time", "uuid", "socket", "os")
HOMES = {"exchangelib": "engine.sources.ews", "duckdb": "engine.store", "aiosmtplib": "engine.alerts", "ray": "actors"}
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "asyncio.sleep"}
SIMULATOR_MAY_KNOW = ("engine.model", "engine.errors")


class Import(NamedTuple):
    """One name a module imports, in full."""

    module: str
    name: str
    line: int


def modules() -> list[Path]:
    return [path for top in OURS for path in sorted((ROOT / top).rglob("*.py"))]


def dotted(path: Path) -> str:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return name.removesuffix(".__init__")


def imports(module: str, source: str, *, is_package: bool = False) -> Iterator[Import]:
    """Everything imported anywhere in the module, inside functions and TYPE_CHECKING blocks too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (Import(module, alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = module.split(".")
                kept = parts[: len(parts) - node.level + is_package]
                base = ".".join([*kept, *([node.module] if node.module else [])])
            yield from (Import(module, f"{base}.{alias.name}", node.lineno) for alias in node.names)


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def breach(module: str, name: str) -> str | None:  # noqa: PLR0911  # one return a rule
    """Why a module may not import a name; None if it may."""
    trusted = within(module, "tests", "bench")
    if within(module, "engine") and within(name, "ray", "actors", "api", "tests", "bench"):
        return "the engine knows nothing of ray, actors or api"
    for library, home in HOMES.items():
        if within(name, library) and not (trusted or within(module, home)):
            return f"only {home} imports {library}"
    if within(module, "api") and within(name, "actors"):
        return None if within(module, "api.commands") and within(name, "actors.cluster") else "api goes through ports"
    if within(module, *PURE) and within(name, *IMPURE):
        return "decisions are pure: what they need is an argument"
    if within(module, "engine.simulator") and within(name, "engine"):
        known = within(name, "engine.simulator", *SIMULATOR_MAY_KNOW)
        return None if known else "the simulator shares nothing with what it tests"
    if within(name, "engine.simulator") and not (trusted or within(module, "api.commands")):
        return "the product does not know its simulator"
    if within(name, "tests", "bench") and not trusted:
        return "tests are not shipped"
    return None


def clocks(source: str) -> list[tuple[int, str]]:
    """Calls that read the wall clock or wait on it."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    names = [(call.lineno, ".".join(ast.unparse(call.func).split(".")[-2:])) for call in calls]
    return [(line, name) for line, name in names if name in CLOCKS]


def test_nobody_imports_what_they_may_not() -> None:
    found = [
        f"{one.module}:{one.line} imports {one.name}: {why}"
        for path in modules()
        for one in imports(dotted(path), path.read_text(encoding="utf-8"), is_package=path.name == "__init__.py")
        if (why := breach(one.module, one.name))
    ]
    assert found == []


def test_decisions_read_no_clock() -> None:
    found = [
        f"{dotted(path)}:{line} calls {name}"
        for path in modules()
        if within(dotted(path), *PURE)
        for line, name in clocks(path.read_text(encoding="utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("engine.sync.machine", "import ray"),
        ("engine.logs", "def f():\n    from actors.calls import call"),
        ("engine.logs", "from api import cli"),
        ("actors.host", "from exchangelib.errors import EWSError"),
        ("engine.sync.plan", "import exchangelib"),
        ("engine.sources.graph", "import exchangelib"),
        ("actors.store", "import duckdb"),
        ("engine.storekeeper", "import duckdb"),
        ("api.rest", "from aiosmtplib import SMTP"),
        ("engine.alerts.decide", "import random"),
        ("api.rest", "import ray.util"),
        ("api.rest", "from actors import cluster"),
        ("api.commands.serve", "from actors import calls"),
        ("engine.sync.machine", "import random"),
        ("engine.placement", "from time import monotonic"),
        ("engine.failures", "import uuid"),
        ("engine.jobs.foreman", "from random import random"),
        ("engine.simulator.soap", "from engine.settings import Settings"),
        ("engine.simulator.soap", "from ..settings import Settings"),
        ("engine.settings", "from engine import simulator"),
        ("actors.cluster", "from engine.simulator import run"),
        ("api.app", "if TYPE_CHECKING:\n    from engine.simulator import run"),
        ("engine.store.store", "from tests.fakes.store import MemoryStore"),
    ],
)
def test_the_rules_bite(module: str, source: str) -> None:
    assert [breach(one.module, one.name) for one in imports(module, source)] != [None]


@pytest.mark.parametrize("call", ["datetime.now(UTC)", "datetime.datetime.now()", "date.today()", "asyncio.sleep(1)"])
def test_a_clock_is_seen(call: str) -> None:
    assert clocks(f"x = {call}")


def test_every_part_is_looked_at() -> None:
    tops = {dotted(path).split(".")[0] for path in modules()}
    assert {"engine", "actors", "api", "tests"} <= tops
