"""Logs: events with key-values on stderr, pretty on a terminal and JSON otherwise, without secrets.

Every process calls ``configure`` once when it starts (module state does not travel between Ray actors). Libraries
that use ``logging`` go through the same processors, so nothing they print escapes the redaction either.
"""

import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from structlog.types import Processor

from engine.access.tokens import TOKEN_PATTERN
from engine.model import OperatorId

REDACTED = "[redacted]"

_SECRET_KEY = re.compile(
    r"password|passwd|secret|token|authorization|cookie|credential|api_?key|signing_key", re.IGNORECASE
)
_SECRET_TEXT = (
    (re.compile(TOKEN_PATTERN), REDACTED),
    (re.compile(r"(?i)\b(bearer|basic|ntlm|negotiate)\s+[A-Za-z0-9+/=_.~-]{6,}"), rf"\1 {REDACTED}"),
    (re.compile(r"(/ews/notifications/)[A-Za-z0-9_-]{8,}"), rf"\1{REDACTED}"),
    (re.compile(r"(://)[^\s/@]+@"), rf"\1{REDACTED}@"),
    (
        re.compile(r"(?i)\b(password|client_secret|access_token)(['\"]?\s*[=:]\s*)(['\"]?)[^\s'\",&]+"),
        rf"\1\2\3{REDACTED}",
    ),
)
_CHATTY = ("exchangelib", "urllib3", "aiohttp.access", "aiohttp.server", "asyncio", "requests", "spnego", "ray")


def configure(level: str = "INFO", stream: TextIO | None = None, *, pretty: bool | None = None) -> None:
    """Set up structlog and ``logging`` for this process. Calling it again replaces the set-up.

    Args:
        level: The least level that is printed.
        stream: Where to; None is this process's stderr.
        pretty: For people (True) or for machines (False); None asks whether the stream is a terminal.
    """
    stream = sys.stderr if stream is None else stream
    pretty = stream.isatty() if pretty is None else pretty
    shared = _shared_processors()
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _renderer(pretty=pretty)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


@contextmanager
def about(operator_id: OperatorId | None = None, folder: str | None = None) -> Iterator[None]:
    """Events inside the block say which operator and folder they are about. Per task, so coroutines do not mix."""
    names = {"operator": operator_id, "folder": folder}
    with structlog.contextvars.bound_contextvars(**{name: value for name, value in names.items() if value}):
        yield


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: values of secret keys, and what looks like a credential in any text, are not printed."""
    for key, value in event.items():
        event[key] = _clean(key, value)
    return event


def _clean(key: str, value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value  # counts and flags, whatever they are called
    if _SECRET_KEY.search(key):
        return REDACTED
    if isinstance(value, str):
        for pattern, replacement in _SECRET_TEXT:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, Mapping):
        return {name: _clean(str(name), inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", inner) for inner in value]
    return value


def _shared_processors() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,  # before redact: tracebacks quote URLs and headers
        structlog.processors.UnicodeDecoder(),
        redact,
    ]


def _renderer(*, pretty: bool) -> Processor:
    if not pretty:
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


def rendered(event: MutableMapping[str, Any], *, pretty: bool) -> str:
    """An event of another process as this one prints it, for people or for machines; without a line's end."""
    text = _renderer(pretty=pretty)(None, str(event.get("level", "info")), redact(None, "", event))
    return text if isinstance(text, str) else str(text)
