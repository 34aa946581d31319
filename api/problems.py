"""The one error shape of the gateway: ``{"error": {"code", "message", "hint"}}``, for whatever goes wrong.

Handlers raise; the middleware here answers. What is not in the table is a bug of ours: it is logged with its
traceback and answered without any detail.
"""

import math
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from engine import errors

log = structlog.get_logger("mailroom.gateway")

_RETRY_AFTER = "5"
CHALLENGE = 'Bearer realm="mailroom"'
TOKEN_HINT = "Send a token of `mailroom tokens create`, or the value of MAILROOM_ADMIN_TOKEN where it runs."  # noqa: S105  # a hint
VALUE_INVALID = "VALUE_INVALID"
"""A value that /openapi.json allows and its meaning does not; what /openapi.json does not allow is BAD_REQUEST."""
CURSOR_INVALID = "CURSOR_INVALID"
_AGAIN = "Try again in a few seconds."

_TABLE: dict[type[errors.MailroomError], tuple[int, str, str]] = {
    errors.QueryRefused: (400, "QUERY_REFUSED", "Send one SELECT over the views; DESCRIBE a view for its columns."),
    errors.QueryTimedOut: (400, "QUERY_TIMED_OUT", "Ask for less: a shorter time, fewer columns, no cross join."),
    errors.QueryTooLarge: (400, "QUERY_TOO_LARGE", "Ask for less at a time: fewer rows and columns, or an aggregate."),
    errors.QueryBusy: (503, "QUERY_BUSY", _AGAIN),
    errors.NotificationInvalid: (400, "BAD_REQUEST", "Send a SendNotification of Exchange Web Services."),
    errors.SettingsError: (400, "SETTINGS_INVALID", "The message names the setting and what to write instead."),
    errors.CallbackForged: (404, "NOT_FOUND", "Notifications go to the URL Mailroom gave Exchange, unchanged."),
    errors.UnknownOperator: (404, "OPERATOR_UNKNOWN", "Check the operator's id."),
    errors.OperatorExists: (409, "OPERATOR_EXISTS", "Change that operator, or give another id."),
    errors.AddressTaken: (409, "ADDRESS_TAKEN", "Change that operator, or give another address."),
    errors.OperatorsChanged: (409, "OPERATORS_CHANGED", "Look at it again, and ask anew."),
    errors.ImportRefused: (400, "FILE_REFUSED", "Send a CSV file whose first row names the columns."),
    errors.UnknownEmail: (404, "EMAIL_UNKNOWN", "Ids are those of the list of emails, percent-encoded in a path."),
    errors.EmailAmbiguous: (409, "EMAIL_AMBIGUOUS", "Name the operator: ?operator=ID."),
    errors.UnknownJob: (404, "JOB_UNKNOWN", "Names are written as the list of jobs has them."),
    errors.UnknownToken: (404, "TOKEN_UNKNOWN", "The list of tokens shows their ids."),
    errors.TokenRefused: (409, "TOKEN_REFUSED", "The list of tokens shows which names are in use."),
    errors.Unauthenticated: (401, "UNAUTHORIZED", TOKEN_HINT),
    errors.Forbidden: (403, "FORBIDDEN", "Ask an administrator, who can give out tokens and change networks."),
    errors.TooManyAttempts: (429, "TOO_MANY_ATTEMPTS", "Wait, and then try with the right token."),
    errors.ErasureRefused: (409, "ERASURE_REFUSED", "The message says what to ask for instead."),
    errors.ExportRefused: (409, "EXPORT_REFUSED", "The message says until when."),
    errors.ExportGone: (404, "EXPORT_GONE", "Begin another export, or the part anew."),
    errors.UnknownErasure: (404, "ERASURE_UNKNOWN", "The list of erasures has their ids."),
    errors.UnknownRecord: (404, "RECORD_UNKNOWN", "The list of the kind has the ids there are."),
    errors.SettingsConflict: (409, "SETTINGS_CONFLICT", "Read the settings again, and change them again."),
    errors.JobRefused: (409, "JOB_REFUSED", "The list of jobs shows how each stands."),
    errors.StoreError: (503, "STORE_UNAVAILABLE", _AGAIN),
    errors.ClusterError: (503, "CLUSTER_UNAVAILABLE", _AGAIN),
    errors.SourceError: (502, "EXCHANGE_ERROR", "See the status for the cause and what to do about it."),
}
"""HTTP status, code and hint of each error of the tree that may reach a caller; subclasses go with their parent."""

_INSTEAD = (("DELETE", "/api/v1/operators/", 'Operators are not deleted: disable one by PATCH {"email_sync": false}.'),)
"""What to do in place of a method that is not possible, by the start of the path."""

_WORDS = {
    404: ("There is nothing at this address.", "Check the path; the API is below /api/v1/."),
    413: ("The body is too large.", "Send less at a time."),
    415: ("This kind of body is not understood.", "Send JSON."),
}

_MADE_UP = {
    (400, "BAD_REQUEST"),
    (400, VALUE_INVALID),
    (400, CURSOR_INVALID),
    (400, "IMPORT_ERRORS"),
    (404, "KIND_UNKNOWN"),
    (404, "THREAD_UNKNOWN"),
    (409, "IMPORT_STALE"),
    (500, "INTERNAL"),
    (503, "NOT_READY"),
}
"""Codes that stand for no error of the tree, for the documentation."""


class Refusal(Exception):
    """A request is answered with an error that no error of the engine stands for."""

    def __init__(
        self, status: int, code: str, message: str, hint: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.hint = status, code, message, hint
        self.headers = headers or {}

    def response(self) -> web.Response:
        """The answer, in the one shape."""
        error = {"code": self.code, "message": self.message, "hint": self.hint}
        return web.json_response({"error": error}, status=self.status, headers=self.headers)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Outermost middleware: every error leaves the gateway in the one shape."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return _of_http(request, error).response()
    except web.RequestPayloadError:
        return Refusal(400, "BAD_REQUEST", "The body is not encoded as its headers say.", "Send it again.").response()
    except Refusal as refusal:
        return refusal.response()
    except errors.MailroomError as error:
        return _of_tree(request, error).response()
    except ConnectionError:  # the client has gone: nobody is there to be answered
        raise
    except Exception:
        log.exception("request_failed", method=request.method, path=request.path)
        return _internal().response()


def status_of(error: Exception) -> int:
    """The HTTP status an error is answered with."""
    if isinstance(error, Refusal):
        return error.status
    if isinstance(error, web.HTTPException):
        return error.status
    return next((_TABLE[kind][0] for kind in type(error).__mro__ if kind in _TABLE), 500)


def codes() -> dict[int, list[str]]:
    """Every code an error can have, by HTTP status."""
    of_http = [(status.value, status.name) for status in map(HTTPStatus, (404, 405, 413, 415))]
    found: dict[int, list[str]] = {}
    for status, code in sorted({*_MADE_UP, *of_http, *((status, code) for status, code, _ in _TABLE.values())}):
        found.setdefault(status, []).append(code)
    return found


def _of_tree(request: web.Request, error: errors.MailroomError) -> Refusal:
    row = next((_TABLE[kind] for kind in type(error).__mro__ if kind in _TABLE), None)
    if row is None:
        log.error("request_failed", method=request.method, path=request.path, exc_info=error)
        return _internal()
    status, code, hint = row
    if isinstance(error, errors.ImportRefused):
        status, code = (413 if error.code == "TOO_LARGE" else status), error.code or code
    return Refusal(status, code, str(error), hint, _headers(error, status))


def _headers(error: errors.MailroomError, status: int) -> dict[str, str]:
    if isinstance(error, errors.Unauthenticated):
        return {"WWW-Authenticate": CHALLENGE}
    if isinstance(error, errors.TooManyAttempts):
        return {"Retry-After": str(math.ceil(error.retry_after))}
    return {"Retry-After": _RETRY_AFTER} if status == 503 else {}


def _of_http(request: web.Request, error: web.HTTPException) -> Refusal:
    status = HTTPStatus(error.status)
    message, hint = _WORDS.get(status, (status.description or status.phrase, ""))
    headers = {}
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        message, hint = f"{request.method} is not possible here.", f"Use {allowed}."
        hint = next((words for of, path, words in _INSTEAD if _is(request, of, path)), hint)
        headers = {"Allow": allowed}
    return Refusal(status, status.name, message, hint, headers)


def _internal() -> Refusal:
    return Refusal(500, "INTERNAL", "Something went wrong inside Mailroom.", "The gateway's log says what.")


def _is(request: web.Request, method: str, path: str) -> bool:
    return request.method == method and request.path.startswith(path)
