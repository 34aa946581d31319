"""MemoryStore's tokens and audit trail: ``ports.AccessStore``."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from engine.access import tokens
from engine.access.audit import AuditEntry, side_json
from engine.access.tokens import TokenRecord
from engine.errors import TokenRefused, UnknownToken


class MemoryAccess:
    """``issued``: every token there has been, by id; ``audited``: the trail, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self.issued: dict[str, TokenRecord] = {}
        self.audited: list[AuditEntry] = []

    @abstractmethod
    def _check(self) -> None: ...

    async def tokens(self) -> list[TokenRecord]:
        self._check()
        found = sorted(self.issued.values(), key=lambda one: one.token_id)
        return sorted(found, key=lambda one: one.created_at, reverse=True)

    async def add_token(self, record: TokenRecord) -> None:
        self._check()
        if record.token_id in self.issued:
            raise TokenRefused("its id is taken")
        if any(one.name == record.name and one.revoked_at is None for one in self.issued.values()):
            raise TokenRefused(f"There is a token named {record.name!r}.")
        self.issued[record.token_id] = record

    async def revoke_token(self, token_id: str, now: datetime) -> TokenRecord:
        self._check()
        if token_id not in self.issued:
            raise UnknownToken(f"There is no token with the id {token_id!r}.")
        record = self.issued[token_id] = tokens.revoke(self.issued[token_id], now)
        return record

    async def note_token_uses(self, uses: Mapping[str, datetime]) -> None:
        self._check()
        for token_id, at in uses.items():
            if token_id in self.issued:
                record = self.issued[token_id]
                latest = at if record.last_used_at is None else max(at, record.last_used_at)
                self.issued[token_id] = replace(record, last_used_at=latest)

    async def write_audit(self, entries: Sequence[AuditEntry]) -> None:
        self._check()
        known = {one.entry_id for one in self.audited}
        self.audited += [one for one in {one.entry_id: one for one in entries}.values() if one.entry_id not in known]


def audit_rows(entries: Sequence[AuditEntry]) -> list[dict[str, Any]]:
    """The trail as it is listed: newest first."""
    rows = [
        {"entry_id": one.entry_id, "at": one.at, "action": one.action.value, "outcome": one.outcome.value}
        | {"principal": one.principal, "role": one.role.value if one.role else None, "token_id": one.token_id}
        | {"address": one.address, "target": one.target}
        | {"before": side_json(one.before), "after": side_json(one.after)}
        for one in sorted(entries, key=lambda one: one.entry_id)
    ]
    return sorted(rows, key=lambda row: row["at"], reverse=True)
