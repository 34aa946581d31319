"""What is found in the CRM for addresses and domains: the raw material of ``engine.associations.outcome``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from engine.crm.model import RecordKind


class AddressRow(NamedTuple):
    """A record that has an address; ``address`` as it is written there, ``account_id`` of a contact's parent."""

    kind: RecordKind
    record_id: str
    address: str
    account_id: str = ""


class DomainRow(NamedTuple):
    """An account or organization that has a domain."""

    kind: RecordKind
    record_id: str


class Opportunity(NamedTuple):
    """An opportunity; ``active_at``: when there was last something going on, or when it was last changed."""

    record_id: str
    owner: str
    is_open: bool
    active_at: datetime | None
    account_id: str
    contact_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """Rows by key (``engine.crm.keys``), the kind of each company by its id, and the opportunities of all of them."""

    addresses: Mapping[int, Sequence[AddressRow]] = field(default_factory=dict)
    domains: Mapping[int, Sequence[DomainRow]] = field(default_factory=dict)
    companies: Mapping[str, RecordKind] = field(default_factory=dict)
    opportunities: Sequence[Opportunity] = ()
