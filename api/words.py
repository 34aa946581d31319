"""Errors and troubles as single lines for people: what is wrong, and what to do about it."""

from collections.abc import Iterable

from engine.errors import MailroomError, SourceError
from engine.failures import failure_for
from engine.status import Trouble


def error_lines(error: MailroomError) -> list[str]:
    """Settings problems are a line each; everything else is one line. Errors of Exchange bring the table's words."""
    if isinstance(error, SourceError):
        failure = failure_for(error)
        remedy = "" if failure.remedy in str(error) else failure.remedy
        return [_one_line(f"{failure.cause} {remedy} ({failure.code}: {error})")]
    return [_one_line(line) for line in str(error).splitlines() if line.strip()] or [type(error).__name__]


class TroubleReport:
    """Says each trouble once when it starts and once when it is over: edges, not states."""

    def __init__(self) -> None:
        self._open: dict[str, Trouble] = {}

    def observe(self, troubles: Iterable[Trouble]) -> list[str]:
        """The lines to print, now that these are the troubles."""
        now = {trouble.code: trouble for trouble in troubles}
        lines = [_trouble_line(trouble) for code, trouble in now.items() if code not in self._open]
        lines += [f"{code}: recovered." for code in self._open if code not in now]
        self._open = now
        return lines


def _trouble_line(trouble: Trouble) -> str:
    named = trouble.example in trouble.message  # Exchange's words mostly name the mailbox already
    detail = trouble.message if named else f"{trouble.example}: {trouble.message}"
    several = f"{trouble.operators:,} operators, such as " if trouble.operators > 1 else ""
    remedy = "" if trouble.remedy in trouble.message else trouble.remedy
    return _one_line(f"{trouble.code}: {trouble.cause} {remedy} ({several}{detail})")


def _one_line(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
