"""The errors an endpoint can answer: those that follow from what it is, and those it lists itself."""

from http import HTTPStatus
from typing import Any, Final

from api.routes import Access, Route
from engine.callback import LISTENER_PATH

MEANINGS: Final = {
    400: "The request is wrong; the message says what, and the hint how it should be.",
    401: "There is no token, or none that is valid.",
    403: "The role or the network does not allow it.",
    404: "There is nothing of this name.",
    405: "This method is not possible here.",
    409: "It does not go together with how things stand.",
    413: "The body is too large.",
    415: "This kind of body is not understood.",
    429: "Too many failed logins from this address; Retry-After says how many seconds to wait.",
    502: "Exchange does not answer as it should.",
    503: "A part of Mailroom does not answer now; try again in a few seconds.",
}

_HEADERS: Final[dict[int, dict[str, tuple[str, bool]]]] = {
    401: {"WWW-Authenticate": ("The scheme that is taken.", True)},
    405: {"Allow": ("The methods that are.", True)},
    429: {"Retry-After": ("Seconds to wait.", True)},
    503: {"Retry-After": ("Seconds to wait.", False)},
}


def errors_of(route: Route) -> dict[int, str]:
    """What each status of an error means here, by status. A bug (500) is not among them: it has the same shape."""
    found: set[int] = set()
    if route.access is not Access.PUBLIC:
        found |= {401, 403, 429, 503}
    if route.path.startswith(LISTENER_PATH):
        found |= {403}
    if route.body is not None:
        found |= {400, 413}
    if any(f"{{{parameter.name}" not in route.path for parameter in route.parameters):
        found |= {400}
    if "{" in route.path:
        found |= {404}
    return dict(sorted({**{status: MEANINGS[status] for status in found}, **route.refuses}.items()))


def error_response(status: int, meaning: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A Response Object of OpenAPI."""
    response: dict[str, Any] = {
        "description": meaning or MEANINGS.get(status, HTTPStatus(status).phrase),
        "content": {"application/json": {"schema": schema}},
    }
    if status in _HEADERS:
        response["headers"] = {
            name: {"description": words, "required": required, "schema": {"type": "string"}}
            for name, (words, required) in _HEADERS[status].items()
        }
    return response
