"""``importing``: a large operator file through a gateway into the store, and what it holds up: a real cluster."""

import asyncio
import tempfile
import threading
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import aiohttp
import psutil
from pydantic import SecretStr

from bench import imports
from bench.cluster import running, settings_for
from bench.exchange import simulated
from bench.report import Report, settings_of

_TOKEN = "benchmark"  # noqa: S105  # guards nothing
_BEARER = {"Authorization": f"Bearer {_TOKEN}"}
_SAMPLE_EVERY = 0.02
_PAUSE = 0.02


def configure(parser: ArgumentParser) -> None:
    """The options of the command line."""
    imports.configure(parser)


def run(given: Namespace) -> Report:
    """Make a file, preview it, apply it."""
    return measure(imports.Options(given.rows, given.wrong, given.known, 1, given.seed))


@dataclass
class Watched:
    """The most memory of some processes since the watch began, in bytes, by the name of the actor."""

    before: dict[str, int]
    peak: dict[str, int]

    def grown(self, name: str) -> float:
        """MB it has grown by at most."""
        return round((self.peak[name] - self.before[name]) / 1e6, 1)


@contextmanager
def watched() -> Iterator[Watched]:
    """Look at the gateway's and the store's memory again and again."""
    workers: dict[str, psutil.Process] = {}
    for process in psutil.Process().children(recursive=True):
        title = " ".join(process.cmdline())
        workers |= {name: process for name in ("Gateway", "StoreActor") if f"ray::{name}" in title}
    before = {name: process.memory_info().rss for name, process in workers.items()}
    found, over = Watched(before, dict(before)), threading.Event()

    def look() -> None:
        while not over.wait(_SAMPLE_EVERY):
            for name, process in workers.items():
                found.peak[name] = max(found.peak[name], process.memory_info().rss)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def measure(options: imports.Options) -> Report:
    """One preview and one apply; another request is made again and again meanwhile."""
    data, operators, wrong = imports.make_file(options)
    data = data.replace(b",yes", b",no")  # nobody is to be synchronised while this is measured
    with tempfile.TemporaryDirectory() as folder, simulated(1, 1, options.seed) as exchange:
        settings = settings_for(exchange, Path(folder) / "mailroom.duckdb")
        settings = settings.model_copy(update={"admin_token": SecretStr(_TOKEN)})
        with running(exchange, settings) as cluster, watched() as memory:
            known = [replace(one, email_sync=False) for one in operators.values()]
            used = cluster.usage()
            figures = asyncio.run(_through(cluster.url, data, known))
            spent = cluster.usage().since(used).seconds
    if figures.pop("lines") != wrong:
        raise RuntimeError("the preview does not name the rows that are wrong")
    figures |= {"cpu_seconds": {role: round(spent.get(role, 0.0), 2) for role in ("gateway", "store")}}
    figures |= {"gateway_mb": memory.grown("Gateway"), "store_mb": memory.grown("StoreActor"), "bytes": len(data)}
    rows = [
        ("file", f"{options.rows:,} rows, {len(data) / 1e6:.1f} MB, {options.wrong} wrong; {len(known):,} operators"),
        ("preview", f"{figures['preview_seconds']} s"),
        ("apply", f"{figures['apply_seconds']} s: {figures['counts']}"),
        ("both, and others meanwhile", f"CPU s: {figures['cpu_seconds']}"),
        ("memory at most", f"gateway +{figures['gateway_mb']} MB, store +{figures['store_mb']} MB"),
        ("longest answer to another", f"{figures['longest_other_seconds']} s"),
        ("a page of a search", f"{figures['search_seconds']} s"),
    ]
    return Report("importing", settings_of(options), figures, rows)


async def _through(url: str, data: bytes, known: list[Any]) -> dict[str, Any]:
    from actors.remote_store import RemoteStore

    await RemoteStore().put_operators(known)
    async with aiohttp.ClientSession(headers=_BEARER) as session:
        others = asyncio.create_task(_ask_meanwhile(session, f"{url}/healthz"))
        began = time.perf_counter()
        found = await _post(session, url, data, {})
        previewed = time.perf_counter()
        done = await _post(session, url, data, {"apply": "true", "digest": found["digest"]})
        applied = time.perf_counter()
        others.cancel()
        longest = await asyncio.gather(others, return_exceptions=False)
        search = time.perf_counter()
        async with session.get(f"{url}/api/v1/operators", params={"q": "muller-49", "limit": "1000"}) as response:
            await response.read()
        searched = time.perf_counter()
    return {
        "preview_seconds": round(previewed - began, 2),
        "apply_seconds": round(applied - previewed, 2),
        "longest_other_seconds": round(longest[0], 3),
        "search_seconds": round(searched - search, 3),
        "counts": done["counts"],
        "lines": [row["line"] for row in found["rows"] if row["verdict"] == "error"],
    }


async def _post(session: aiohttp.ClientSession, url: str, data: bytes, params: dict[str, str]) -> dict[str, Any]:
    address = f"{url}/api/v1/operators/import"
    async with session.post(address, params=params, data=BytesIO(data)) as response:
        response.raise_for_status()
        return dict(await response.json())


async def _ask_meanwhile(session: aiohttp.ClientSession, url: str) -> float:
    """The longest that another request took, in seconds, until this is cancelled."""
    longest = 0.0
    try:
        while True:
            began = time.perf_counter()
            async with session.get(url) as response:
                await response.read()
            longest = max(longest, time.perf_counter() - began)
            await asyncio.sleep(_PAUSE)
    except asyncio.CancelledError:
        return longest
