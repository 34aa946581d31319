"""Purging: taking out what has landed and the policies would keep out by now. Its words."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from engine.policy.model import Reason


@dataclass(frozen=True, slots=True)
class PurgeRequest:
    """``dry_run``: count only. ``later``: write the file anew at the next purge, erasure or start, and not now."""

    purge_id: str
    by: str
    dry_run: bool = False
    later: bool = False


class PurgeCount(NamedTuple):
    """How many emails of one operator for one reason."""

    reason: Reason
    operator_id: str
    emails: int


@dataclass(frozen=True, slots=True)
class PurgeReceipt:
    """What a purge took out, or would. ``rewritten_at``: when the file was written anew, so that nothing is left."""

    purge_id: str
    at: datetime
    by: str
    counts: tuple[PurgeCount, ...] = ()
    dry_run: bool = False
    rewritten_at: datetime | None = None
    rewrite_problem: str | None = None

    @property
    def emails(self) -> int:
        """How many emails in all."""
        return sum(one.emails for one in self.counts)


@dataclass(frozen=True, slots=True)
class PolicyStanding:
    """What is known of the policies beside the settings.

    ``own_domains``: by which mail is internal. ``kept_out``: emails by reason. ``operators``: the policies of those who
    have one of their own, with the keys of the settings.
    """

    own_domains: tuple[str, ...]
    kept_out: dict[str, int]
    operators: dict[str, dict[str, object]]
