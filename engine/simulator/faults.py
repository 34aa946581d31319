"""Faults to order: which calls go wrong, how, and how often.

Nothing goes wrong unless a fault was added. A fault names a kind and may be narrowed to an operation, a mailbox and
the next so many calls; a rate below one lets the seeded generator choose.
"""

import random
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class FaultKind(StrEnum):
    """What can go wrong."""

    BUSY = "busy"
    BUSY_FAULT = "busy_fault"
    BUSY_INNER = "busy_inner"
    UNAVAILABLE = "unavailable"
    RESET = "reset"
    LATENCY = "latency"
    BAD_REQUEST = "bad_request"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105  # the name of a fault
    EWS_DISABLED = "ews_disabled"
    OUTAGE = "outage"
    DENIED = "denied"
    MISSING_MAILBOX = "missing_mailbox"
    ERROR = "error"
    FAULT = "fault"
    VANISHED = "vanished"
    UNREADABLE = "unreadable"
    TOKEN_REFUSED = "token_refused"  # noqa: S105  # the same
    TOKEN_IGNORED = "token_ignored"  # noqa: S105  # the same
    LOST_SUBSCRIPTION = "lost_subscription"
    NO_WATERMARK = "no_watermark"
    INVALID_CHARACTER = "invalid_character"
    NANOSECONDS = "nanoseconds"
    NO_CHANGE_KEY = "no_change_key"
    NO_CHARSET = "no_charset"
    PUSH_LOST = "push_lost"
    PUSH_TWICE = "push_twice"


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        operation: Only this EWS operation; empty for any.
        mailbox: Only this mailbox; empty for any.
        item_id: Only this item, for faults of items.
        rate: Chance that a matching call is hit.
        times: How many calls are hit before the fault is over; None for no end.
        seconds: For latency, how long; for an outage, how long it lasts (None of ``until``: no end).
        backoff_ms: BackOffMilliseconds of a busy server.
        retry_after: Retry-After header of a 503, in seconds.
        code: ResponseCode of ``error``, ``fault`` and ``unreadable``.
        text: What is put into a response by ``invalid_character``; how an outage shows: ``503`` or ``reset``.
    """

    kind: FaultKind
    operation: str = ""
    mailbox: str = ""
    item_id: str = ""
    rate: float = 1.0
    times: int | None = None
    seconds: float = 0.0
    backoff_ms: int | None = 1000
    retry_after: int | None = None
    code: str = ""
    text: str = ""
    hits: int = 0
    until: float | None = field(default=None)

    def matches(self, kind: str, operation: str, mailbox: str, item_id: str) -> bool:
        """Whether a call is of the kind this fault is for."""
        return (
            self.kind == kind
            and self.operation in {"", operation}
            and self.mailbox.lower() in {"", mailbox.lower()}
            and self.item_id in {"", item_id}
            and self.times != 0
        )


class Faults:
    """The faults in force.

    Args:
        seed: Of the generator that decides for rates below one.
        clock: Real seconds, for outages.
    """

    def __init__(self, seed: int, clock: Callable[[], float]) -> None:
        self._rng = random.Random(f"faults:{seed}")
        self._clock = clock
        self.active: list[Fault] = []

    def add(self, kind: FaultKind | str, **fields: Any) -> Fault:
        """Let something go wrong from now on."""
        fault = Fault(FaultKind(kind), **fields)
        if fault.kind is FaultKind.OUTAGE and fault.seconds:
            fault.until = self._clock() + fault.seconds
        self.active.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """End one fault."""
        if fault in self.active:
            self.active.remove(fault)

    def clear(self, kind: FaultKind | str | None = None) -> None:
        """End all faults, or those of a kind."""
        self.active = [fault for fault in self.active if kind is not None and fault.kind != kind]

    def take(self, kind: str, operation: str = "", mailbox: str = "", item_id: str = "") -> Fault | None:
        """The fault that hits this call, if one does; it is counted."""
        if not self.active:
            return None
        for fault in self.active:
            if not fault.matches(kind, operation, mailbox, item_id):
                continue
            if fault.until is not None and self._clock() >= fault.until:
                continue
            if fault.rate < 1.0 and self._rng.random() >= fault.rate:
                continue
            fault.hits += 1
            if fault.times is not None:
                fault.times -= 1
            return fault
        return None

    def describe(self) -> list[dict[str, Any]]:
        """The faults in force, for the control endpoint."""
        return [asdict(fault) for fault in self.active]
