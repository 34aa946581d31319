"""What the CRM has for the keys of some addresses and domains, in at most four statements."""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import duckdb
import pyarrow as pa

from engine.associations.found import AddressRow, DomainRow, Found, Opportunity
from engine.crm.keys import company_link, contact_link, record_key
from engine.crm.model import RecordKind
from engine.store.staging import registered
from engine.store.times import utc


def look_up(
    connection: duckdb.DuckDBPyConnection,
    address_keys: Iterable[int],
    domain_keys: Iterable[int],
    holds: Callable[[int], bool],
) -> Found:
    """All that ``engine.associations.outcome`` needs to know of these keys; ``holds``: whether a key is in the CRM."""
    addresses: dict[int, list[AddressRow]] = defaultdict(list)
    for key, kind, record_id, address, account_id in _by_key(
        connection, "SELECT address_key, kind, record_id, address, account_id FROM _mailroom.crm_addresses "
        "WHERE address_key IN (SELECT key FROM wanted)", address_keys,
    ):  # fmt: skip
        addresses[key].append(AddressRow(RecordKind(kind), record_id, address, account_id))
    domains: dict[int, list[DomainRow]] = defaultdict(list)
    for key, kind, record_id in _by_key(
        connection, "SELECT domain_key, kind, record_id FROM _mailroom.crm_domains "
        "WHERE domain_key IN (SELECT key FROM wanted)", domain_keys,
    ):  # fmt: skip
        domains[key].append(DomainRow(RecordKind(kind), record_id))
    rows = [row for found in addresses.values() for row in found]
    contacts = {row.record_id for row in rows if row.kind is RecordKind.CONTACT}
    ids = {row.account_id for row in rows if row.kind is RecordKind.CONTACT}
    ids |= {row.record_id for row in rows if row.kind in (RecordKind.ACCOUNT, RecordKind.ORGANIZATION)}
    ids |= {row.record_id for found in domains.values() for row in found}
    ids.discard("")
    links = filter(holds, (*map(contact_link, contacts), *map(company_link, ids)))
    return Found(addresses, domains, _companies(connection, ids), _opportunities(connection, links))


def all_keys(connection: duckdb.DuckDBPyConnection) -> "array[int]":
    """The keys of all addresses, domains and roles there are, sorted: 8 bytes each."""
    found = connection.sql(
        "SELECT address_key AS key FROM _mailroom.crm_addresses UNION ALL SELECT domain_key FROM _mailroom.crm_domains "
        "UNION ALL SELECT link_key FROM _mailroom.crm_roles ORDER BY key"
    )
    keys = array("Q")
    for batch in found.to_arrow_table().to_batches():
        column: pa.Array = batch.column("key")
        start = column.offset * keys.itemsize
        keys.frombytes(memoryview(column.buffers()[1])[start : start + len(column) * keys.itemsize])
    return keys


def _by_key(connection: duckdb.DuckDBPyConnection, sql: str, keys: Iterable[int]) -> list[tuple[Any, ...]]:
    wanted = pa.table({"key": pa.array(list(keys), pa.uint64())})
    if not wanted.num_rows:
        return []
    with registered(connection, "wanted", wanted):
        return connection.execute(sql).fetchall()


def _companies(connection: duckdb.DuckDBPyConnection, ids: set[str]) -> dict[str, RecordKind]:
    """What each id is: an account, or else an organization."""
    kinds = (RecordKind.ORGANIZATION, RecordKind.ACCOUNT)
    rows = _by_key(
        connection,
        "SELECT record_id, kind FROM _mailroom.crm_companies WHERE record_key IN (SELECT key FROM wanted) "
        "ORDER BY kind DESC",
        (record_key(kind, one) for kind in kinds for one in ids),
    )
    return {record_id: RecordKind(kind) for record_id, kind in rows}


def _opportunities(connection: duckdb.DuckDBPyConnection, links: Iterable[int]) -> list[Opportunity]:
    rows = _by_key(
        connection,
        """
        SELECT DISTINCT record_id, "owner", is_open, active_at, account_id, contact_ids
        FROM _mailroom.crm_roles WHERE link_key IN (SELECT key FROM wanted)
        """,
        links,
    )
    return [
        Opportunity(record_id, owner, is_open, utc(active_at), account_id, tuple(contact_ids))
        for record_id, owner, is_open, active_at, account_id, contact_ids in rows
    ]
