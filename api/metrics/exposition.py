"""``GET /metrics``: what this gateway has counted, and how the cluster stands at this moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata

from aiohttp import web
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from api.keys import MAILROOM
from api.metrics.counted import COUNTED
from api.metrics.families import families
from api.metrics.snapshot import Snapshot, take_snapshot
from api.routes import Answer, Route
from engine.access.roles import Permission


@dataclass(frozen=True, slots=True)
class Exposition(Collector):
    """One scrape, as the encoders of prometheus_client want it."""

    counted: CollectorRegistry
    snapshot: Snapshot

    def collect(self) -> Iterator[Metric]:
        """The counters, then the snapshot."""
        yield from self.counted.collect()
        yield from families(self.snapshot, version())


async def metrics(request: web.Request) -> web.Response:
    """Answer a scrape, in the text format or (by Accept) as OpenMetrics; also while parts of the cluster are away."""
    scrape = Exposition(request.app[COUNTED].registry, await take_snapshot(request.app[MAILROOM]))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return web.Response(body=encode(scrape), headers={"Content-Type": content_type})


@cache
def version() -> str:
    """The installed version of Mailroom."""
    try:
        return metadata.version("mailroom")
    except metadata.PackageNotFoundError:
        return "unknown"


ROUTES = (
    Route(
        "GET",
        "/metrics",
        metrics,
        Permission.METRICS_READ,
        summary="Metrics for Prometheus",
        answers={200: Answer("The metrics.", media=("text/plain", "application/openmetrics-text"))},
    ),
)
