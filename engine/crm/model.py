"""The records of a CRM that emails are associated with."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RecordKind(StrEnum):
    """The five kinds; the settings and paths of the API call them in the plural."""

    CONTACT = "contact"
    LEAD = "lead"
    ACCOUNT = "account"
    ORGANIZATION = "organization"
    OPPORTUNITY = "opportunity"

    @property
    def plural(self) -> str:
        """``contacts``, ``opportunities``."""
        return "opportunities" if self is RecordKind.OPPORTUNITY else f"{self.value}s"


@dataclass(frozen=True, slots=True)
class CrmRecord:
    """One record, known by kind and id.

    ``addresses``: of people and companies; ``domains``: of accounts and organizations. ``owner``: an operator, by
    operator_id or email. ``account_id``: the parent, an account or, where none has this id, an organization.
    ``contact_ids``: who has a role in an opportunity. ``active_at``: when there was last something going on in it.
    """

    kind: RecordKind
    record_id: str
    name: str = ""
    addresses: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    owner: str = ""
    account_id: str = ""
    stage: str = ""
    is_open: bool = True
    contact_ids: tuple[str, ...] = ()
    active_at: datetime | None = None
    updated_at: datetime | None = None
