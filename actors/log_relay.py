"""The actors' logs on this process's terminal or file, line by line as ``engine.logs`` prints them.

Ray forwards what its workers write to stderr with a prefix of its own, and adds words about workers that died. The
prefix would spoil JSON lines, so it is taken off, and whatever is not one of our lines is made one.
"""

import json
import re
import sys
from typing import Any, TextIO

from engine.logs import rendered

_FORWARDED = re.compile(
    r"^\((?P<who>[^()]*pid=\d+[^()]*|raylet|autoscaler[^()]*|gcs_server)\)\s(?P<line>.*)$", re.DOTALL
)


class RelayedStream:
    """A text stream that rewrites forwarded lines and passes everything else on; Ray writes a whole line at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """See ``TextIO.write``."""
        forwarded = _FORWARDED.match(text)
        self._stream.write(self._own(forwarded["who"], forwarded["line"]) if forwarded else text)
        return len(text)

    def _own(self, who: str, line: str) -> str:
        event = _event(line) or {"event": line.rstrip("\n"), "level": "warning", "logger": who}
        return rendered(event, pretty=self._stream.isatty())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _event(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


class LogRelay:
    """Rewrites stdout and stderr from ``start`` to ``stop``."""

    def __init__(self) -> None:
        self._before: tuple[TextIO, TextIO] | None = None

    def start(self) -> None:
        """Ray looks the streams up at each line, so replacing them is enough."""
        self._before = (sys.stdout, sys.stderr)
        sys.stdout, sys.stderr = RelayedStream(sys.stdout), RelayedStream(sys.stderr)

    def stop(self) -> None:
        """Give the streams back."""
        if self._before is not None:
            sys.stdout, sys.stderr = self._before
            self._before = None
