"""Control over HTTP, so that another process can drive the simulator.

JSON under ``/simulator/``, for the service account only:

    GET  operators, items?email=&folder=, stats, subscriptions, faults
    POST deliver, arrive, update, mark_read, delete, move, copy, create_folder  {"email", "item_id", ...}
    POST faults {"kind", ...}; DELETE faults?kind=
    POST drop_subscriptions {"email"}
"""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from engine.simulator.errors import ResponseError
from engine.simulator.messages import Attachment

if TYPE_CHECKING:
    from engine.simulator.exchange import SimulatedExchange

Answer = Any


class Control:
    """Translates control requests to calls of a simulated Exchange."""

    def __init__(self, exchange: "SimulatedExchange") -> None:
        self._exchange = exchange
        self._gets: dict[str, Callable[[dict[str, str]], Answer]] = {
            "operators": lambda _: [person._asdict() for person in exchange.operators],
            "items": self._items,
            "stats": self._stats,
            "subscriptions": self._subscriptions,
            "faults": lambda _: exchange.faults.describe(),
        }
        self._posts: dict[str, Callable[..., Answer]] = {
            "deliver": self._deliver,
            "arrive": lambda **given: [asdict(item) for item in exchange.arrive(**given)],
            "update": lambda **given: asdict(exchange.update(**given)),
            "mark_read": lambda **given: asdict(exchange.mark_read(**given)),
            "delete": exchange.delete,
            "move": lambda **given: asdict(exchange.move(**given)),
            "copy": lambda **given: asdict(exchange.copy(**given)),
            "create_folder": lambda **given: {"folder_id": exchange.create_folder(**given)},
            "drop_subscriptions": lambda **given: {"dropped": exchange.drop_subscriptions(**given)},
            "faults": lambda kind, **given: asdict(exchange.faults.add(kind, **given)),
        }

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one control request."""
        name = request.path.rpartition("/")[2].lower()
        try:
            if request.method == "GET" and name in self._gets:
                answer = self._gets[name](dict(request.query))
            elif request.method == "POST" and name in self._posts:
                answer = self._posts[name](**(json.loads(await request.text() or "{}")))
            elif request.method == "DELETE" and name == "faults":
                self._exchange.faults.clear(request.query.get("kind"))
                answer = None
            else:
                return _problem(404, f"there is no {request.method} {request.path}")
        except ResponseError as error:
            return _problem(404, error.code)
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            return _problem(400, str(error))
        return web.json_response(answer)

    def _deliver(self, email: str, count: int = 1, **fields: Any) -> Answer:
        """``count`` messages arrive; the last is described. An attachment is an object with its ``data`` in base64."""
        files = [
            Attachment(**{**given, "data": base64.b64decode(given.get("data", ""))})
            for given in fields.pop("attachments", ())
        ]
        fields["attachments"] = files
        for _ in range(count - 1):
            self._exchange.deliver(email, **fields)
        return asdict(self._exchange.deliver(email, **fields))

    def _items(self, query: dict[str, str]) -> Answer:
        return [asdict(item) for item in self._exchange.items(query["email"], query.get("folder"))]

    def _stats(self, _: dict[str, str]) -> Answer:
        requests, delivery = self._exchange.requests, self._exchange.delivery
        return {
            "total": requests.total,
            "operations": dict(requests.operations),
            "statuses": {str(status): number for status, number in requests.statuses.items()},
            "curve": requests.curve(),
            "most_in_flight": requests.most_in_flight,
            "notifications": {"sent": delivery.sent, "failed": delivery.failed},
            "subscriptions": len(delivery.subscriptions),
        }

    def _subscriptions(self, _: dict[str, str]) -> Answer:
        return [
            {
                "subscription_id": s.subscription_id,
                "kind": s.kind,
                "mailbox": s.mailbox.address,
                "url": s.url,
                "frequency": s.frequency,
                "waiting": len(s.waiting),
                "notifications": s.notifications,
                "failures": s.failures,
            }
            for s in self._exchange.subscriptions
        ]


def _problem(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"code": str(status), "message": message, "hint": ""}}, status=status)
