"""Policies on a terminal."""

from collections.abc import Iterator, Mapping
from typing import Any

_SWITCHES = (
    ("skip_private", "private and confidential mail"),
    ("skip_internal", "mail between own domains alone"),
    ("only_known", "mail that concerns no CRM record"),
)
_WHY = {
    "private": "private or confidential",
    "folder": "of a folder that is skipped",
    "denied": "with an address or domain that is denied",
    "not_allowed": "with none of the addresses and domains that are allowed",
    "internal": "between own domains",
    "unknown": "concerning no CRM record",
}


def policy_lines(policy: Mapping[str, Any]) -> Iterator[str]:
    """What does not land, a line each."""
    for name, what in _SWITCHES:
        if policy[name]:
            yield f"  {what} ({name})"
    for entries, what in ((policy["deny"], "with any of"), *((one, "without any of") for one in policy["allow"])):
        if entries:
            yield f"  mail {what} {', '.join(entries)}"
    if policy["skip_folders"]:
        yield f"  mail of the folders {', '.join(policy['skip_folders'])}"


def kept_lines(kept_out: Mapping[str, int]) -> Iterator[str]:
    """How many emails were kept out, a line a reason."""
    for reason, emails in kept_out.items():
        yield f"  {emails:,} {_WHY[reason]}"


def purge_lines(receipt: Mapping[str, Any]) -> Iterator[str]:
    """What a purge took out, or would."""
    reasons: dict[str, int] = {}
    for one in receipt["counts"]:
        reasons[one["reason"]] = reasons.get(one["reason"], 0) + one["emails"]
    did = "would be taken out" if receipt["dry_run"] else "were taken out"
    yield f"{receipt['emails']:,} emails of {len({one['operator_id'] for one in receipt['counts']}):,} mailboxes {did}."
    yield from kept_lines(reasons)
    if receipt["rewrite_problem"]:
        yield f"The file could not be written anew yet: {receipt['rewrite_problem']}"
    elif receipt["rewritten_at"]:
        yield "The file was written anew; nothing of them is left in it."
    elif not receipt["dry_run"]:
        yield "The file is written anew at the next purge, erasure or start; until then bytes of them are left in it."
