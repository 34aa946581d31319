"""What a gateway counts itself: requests and notifications. Every label has few values, whatever is sent to it."""

from time import perf_counter

import prometheus_client
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, Counter, Histogram

from engine.notices import NoticeAnswer, NoticeKind

UNMATCHED = "unmatched"
_METHODS = frozenset(hdrs.METH_ALL) - {hdrs.METH_ANY}
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Counted:
    """The counters of one gateway, since it started."""

    def __init__(self) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "mailroom_http_requests",
            "HTTP requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "mailroom_http_request_duration_seconds",
            "How long answering took.",
            ("route",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._notifications = Counter(
            "mailroom_notifications",
            "Push notifications, by what Exchange was told.",
            ("kind", "answer"),
            registry=self.registry,
        )
        self._lost = Counter(
            "mailroom_audit_entries_lost",
            "Entries of the audit trail that could not be written.",
            registry=self.registry,
        )

    def count_notification(self, kind: NoticeKind, answer: NoticeAnswer) -> None:
        """A notification was answered with a word Exchange understands."""
        self._notifications.labels(kind.value, answer.value.lower()).inc()

    def count_refused_notification(self, answer: str) -> None:
        """A notification was not taken: ``forged``, ``invalid`` or ``unavailable``."""
        self._notifications.labels("unknown", answer).inc()

    def count_lost_entries(self, entries: int) -> None:
        """Entries of the audit trail could not be written."""
        self._lost.inc(entries)

    def count_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)


COUNTED = web.AppKey("counted", Counted)


@web.middleware
async def count_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost middleware: count what leaves the gateway, by the route's template and never by the path."""
    started, status = perf_counter(), 499
    try:
        response = await handler(request)
        status = response.status
    finally:
        resource = request.match_info.route.resource
        route = UNMATCHED if resource is None else resource.canonical
        request.app[COUNTED].count_request(request.method, route, status, perf_counter() - started)
    return response
