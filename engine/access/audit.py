"""The audit trail: who did what, when, from where, to what, and what changed.

One entry for each request that changes something, reads mail or is refused; never a secret, never more than
``SIDE_LIMIT`` bytes a side.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from engine.access import redaction
from engine.access.roles import Permission, Role

SIDE_LIMIT: Final = 8192
"""Bytes of ``before`` and of ``after``, each, as JSON in UTF-8."""

_KEYS_LIMIT = 20


class Action(StrEnum):
    """What was done, or was to be. ``ACTIONS`` says it in words."""

    LOGIN = "login"
    CONNECT = "connect"
    SETTINGS_CHANGE = "settings.change"
    OPERATORS_CHANGE = "operators.change"
    OPERATORS_IMPORT = "operators.import"
    OPERATORS_CHECK = "operators.check"
    JOBS_CHANGE = "jobs.change"
    JOBS_RUN = "jobs.run"
    POLICY_CHANGE = "policy.change"
    POLICY_PURGE = "policy.purge"
    CRM_IMPORT = "crm.import"
    CRM_DELETE = "crm.delete"
    TOKENS_CREATE = "tokens.create"
    TOKENS_REVOKE = "tokens.revoke"
    EMAILS_READ = "emails.read"
    QUERY_RUN = "query.run"
    ERASE_RUN = "erase.run"
    EXPORT_RUN = "export.run"
    REQUEST = "request"


ACTIONS: Final[Mapping[Action, str]] = MappingProxyType(
    {
        Action.LOGIN: "a token was refused: an address's first failure, and the one that makes it wait",
        Action.CONNECT: "a network that is not allowed was refused",
        Action.SETTINGS_CHANGE: "Application Settings, old and new values of what changed",
        Action.OPERATORS_CHANGE: "an operator was created, changed, enabled or disabled",
        Action.OPERATORS_IMPORT: "operators were imported: how many of what",
        Action.OPERATORS_CHECK: "operators were tested against Exchange",
        Action.JOBS_CHANGE: "a job was enabled, disabled, rescheduled or given another access group",
        Action.JOBS_RUN: "a job was run by hand",
        Action.POLICY_CHANGE: "an operator's own policy, before and after",
        Action.POLICY_PURGE: "what the policies would keep out by now was taken out: how many emails, by reason",
        Action.CRM_IMPORT: "CRM records were imported: how many of what",
        Action.CRM_DELETE: "a CRM record was deleted: its kind and id",
        Action.TOKENS_CREATE: "a token was created: its id, name, role, groups and expiry",
        Action.TOKENS_REVOKE: "a token was revoked",
        Action.EMAILS_READ: "emails were listed or read: the filters or the id",
        Action.QUERY_RUN: "SQL was run: its text, without its parameters",
        Action.ERASE_RUN: "a person's mail was erased: the receipt",
        Action.EXPORT_RUN: "everything was exported: where to, and the manifest's figures",
        Action.REQUEST: "any other request that the role does not allow",
    }
)


_CHANGES: Final[Mapping[Permission, Action]] = MappingProxyType(
    {
        Permission.JOBS_RUN: Action.JOBS_RUN,
        Permission.JOBS_WRITE: Action.JOBS_CHANGE,
        Permission.OPERATORS_WRITE: Action.OPERATORS_CHANGE,
        Permission.OPERATORS_CHECK: Action.OPERATORS_CHECK,
        Permission.CRM_WRITE: Action.CRM_IMPORT,
        Permission.SETTINGS_WRITE: Action.SETTINGS_CHANGE,
        Permission.TOKENS_MANAGE: Action.TOKENS_CREATE,
        Permission.ERASE_RUN: Action.ERASE_RUN,
        Permission.EXPORT_RUN: Action.EXPORT_RUN,
    }
)
_MAIL: Final[Mapping[Permission, Action]] = MappingProxyType(
    {Permission.EMAILS_READ: Action.EMAILS_READ, Permission.QUERY_RUN: Action.QUERY_RUN}
)


def action_of(permission: Permission, method: str) -> Action | None:
    """What a request that takes this permission is, where nothing more is known of it; ``method``: HTTP's.

    None: it only reads, and no mail.
    """
    if method in {"GET", "HEAD"}:
        return _MAIL.get(permission)
    if permission is Permission.TOKENS_MANAGE and method == "DELETE":
        return Action.TOKENS_REVOKE
    if permission is Permission.CRM_WRITE and method == "DELETE":
        return Action.CRM_DELETE
    return _MAIL.get(permission) or _CHANGES.get(permission)


class AuditOutcome(StrEnum):
    """How it went. ``refused``: by the rules of access, or as wrong; ``failed``: allowed, and did not work."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the trail. Whatever is put in is redacted and bounded: there is no other way to make one.

    ``principal``: the token's name, empty where nobody was let in. ``token_id``: empty for MAILROOM_ADMIN_TOKEN.
    ``address``: the client's, behind proxies too. ``target``: what it was done to, such as an operator's id.
    ``before`` and ``after``: the values that changed, or figures of what was done. ``entry_id`` tells an entry from any
    other, so that writing it twice is writing it once.
    """

    at: datetime
    action: Action
    outcome: AuditOutcome
    principal: str = ""
    role: Role | None = None
    token_id: str = ""
    address: str = ""
    target: str = ""
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    entry_id: str = ""

    def __post_init__(self) -> None:
        for name in ("principal", "token_id", "address", "target"):
            object.__setattr__(self, name, redaction.text(getattr(self, name), 200))
        for name in ("before", "after"):
            object.__setattr__(self, name, _side(getattr(self, name)))


def changes(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """What differs between two states, for ``before`` and ``after`` of an entry; a key that is absent counts as None.

    Compare before redaction, as this does: then a changed password shows as changed, and neither value does.
    """
    differing = [
        key for key in [*before, *(key for key in after if key not in before)] if before.get(key) != after.get(key)
    ]
    return {key: before.get(key) for key in differing}, {key: after.get(key) for key in differing}


def side_json(side: Mapping[str, object]) -> str:
    """``before`` or ``after`` as it is stored: JSON on one line."""
    return json.dumps(side, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _side(value: Mapping[str, object]) -> dict[str, object]:
    kept = redaction.redacted(value)
    side = kept if isinstance(kept, dict) else {}
    size = len(side_json(side).encode())
    if size <= SIDE_LIMIT:
        return side
    return {"…": f"{size:,} bytes, too many to keep", "keys": [key[:50] for key in list(side)[:_KEYS_LIMIT]]}
