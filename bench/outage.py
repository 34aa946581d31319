"""``outage``: how many requests Exchange gets while it serves nobody, second by second.

The mailboxes, the store and Exchange are those of the tests, in simulated time: what one host decides is measured, not
how fast it is. A coordinator's tick dispatches who is due; all are made due when the outage begins.
"""

import asyncio
from argparse import ArgumentParser, Namespace
from collections import Counter
from dataclasses import dataclass

import structlog

from bench.report import Report, settings_of
from engine.errors import AuthenticationFailed, SourceError, SourceUnavailable
from tests.unit.sync.simulation import Landscape, simulate

_BARS = " ▁▂▃▄▅▆▇█"
_WIDTH = 60
_KINDS: dict[str, SourceError] = {
    "connection": SourceUnavailable("refused", code="ConnectionError"),
    "password": AuthenticationFailed("refused", code="HTTP 401"),
}


@dataclass(frozen=True, slots=True)
class Options:
    """``minutes`` of outage, of one of the ``kind``s; ``after``: minutes that are looked at once it is over."""

    operators: int = 500
    minutes: float = 3.0
    after: float = 2.0
    kind: str = "connection"
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """``curve``: requests in each second from the outage's beginning. ``synced_after``: seconds from its end."""

    curve: list[int]
    during: int
    first_after: float
    synced_after: float


def configure(command: ArgumentParser) -> None:
    """Options on the command line."""
    for name, value in settings_of(Options()).items():
        command.add_argument(f"--{name}", type=type(value), default=value)


def run(given: Namespace) -> Report:
    """Measure, and report."""
    structlog.configure(processors=[_drop])
    return measure(Options(given.operators, given.minutes, given.after, given.kind, given.seed))


def measure(options: Options) -> Report:
    """The same, with what passes leave in the log."""
    measured = simulate(lambda: _measured(options))
    rows = [
        (f"requests in {options.minutes:g} minutes of outage", str(measured.during)),
        ("first request after its end", f"{measured.first_after:.1f} s"),
        ("all synchronised after its end", f"{measured.synced_after:.1f} s"),
        ("requests over time, logarithmic", _drawn(measured.curve)),
    ]
    return Report("outage", settings_of(options), settings_of(measured), rows)


async def _measured(options: Options) -> Measured:
    error = _KINDS[options.kind]
    async with Landscape(options.operators, seed=options.seed) as world:
        await world.all_synced(within=3600)
        await asyncio.sleep(60)
        begun = world.now()
        world.source.trouble = lambda _: error
        await world.make_all_due()
        await asyncio.sleep(options.minutes * 60)
        world.source.trouble = lambda _: None
        ended = world.now()
        await world.all_synced(within=3600)
        synced = world.now()
        await asyncio.sleep(max(0.0, options.after * 60 - (synced - ended)))
        counts = Counter(int(at - begun) for at, _ in world.source.asked_at if at >= begun)
        first = min(at for at, _ in world.source.asked_at if at >= ended)
        curve = [counts[second] for second in range(int(world.now() - begun) + 1)]
        return Measured(curve, world.asked_between(begun, ended), first - ended, synced - ended)


def _drawn(curve: list[int]) -> str:
    step = max(1, len(curve) // _WIDTH)
    sums = [sum(curve[first : first + step]) for first in range(0, len(curve), step)]
    top = max(*sums, 1).bit_length()
    return "".join(_BARS[min(8, -(-count.bit_length() * 8 // top))] for count in sums) + f" ({step} s each)"


def _drop(*_: object) -> dict[str, object]:
    raise structlog.DropEvent
