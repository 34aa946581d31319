"""CRM records inserted, replaced and deleted; and which addresses and domains that may concern, written down.

What a change may concern: the addresses and domains a record had and has; of a company those of its contacts too; of an
opportunity those of its contacts and of its company with its contacts. The keys go into ``crm_changes``; which emails
have them is looked into later (``engine.store.associating``).
"""

from collections.abc import Iterable, Iterator

import duckdb
import pyarrow as pa

from engine.columns import TIME
from engine.crm.change import CrmChange, CrmOutcome
from engine.crm.keys import address_key, company_link, contact_link, domain_key, record_key
from engine.crm.model import CrmRecord, RecordKind
from engine.store.staging import registered
from engine.store.tables import TEXT, columns

_KEYS = pa.list_(pa.uint64())
_RECORDS = pa.schema(
    [
        ("kind", TEXT), ("record_id", TEXT), ("record_key", pa.uint64()), ("name", TEXT), ("addresses", pa.list_(TEXT)),
        ("domains", pa.list_(TEXT)), ("owner", TEXT), ("account_id", TEXT), ("stage", TEXT), ("is_open", pa.bool_()),
        ("contact_ids", pa.list_(TEXT)), ("active_at", TIME), ("updated_at", TIME),
        ("address_keys", _KEYS), ("domain_keys", _KEYS), ("link_keys", _KEYS),
    ]
)  # fmt: skip
_STORED = ", ".join(f'"{name}"' for name in _RECORDS.names[:-3])
_SAME = " AND ".join(f'g."{name}" IS NOT DISTINCT FROM r."{name}"' for name in _RECORDS.names[3:-3])

_OF_THE_COMPANY = (
    (
        "SELECT a.address_key FROM _mailroom.crm_addresses AS a JOIN crm_touched AS t "
        "ON a.record_id = t.record_id OR (a.account_id = t.record_id AND a.kind = 'contact')"
    ),
    "SELECT d.domain_key FROM _mailroom.crm_domains AS d JOIN crm_touched AS t ON d.record_id = t.record_id",
)
"""By its id alone: an account takes the place of an organization of the same id."""
_OF_THE_OPPORTUNITY = (
    (
        "SELECT a.address_key FROM _mailroom.crm_addresses AS a WHERE a.kind = 'contact' "
        "AND a.record_id IN (SELECT unnest(contact_ids) FROM crm_touched)"
    ),
    (
        "SELECT a.address_key FROM _mailroom.crm_addresses AS a JOIN crm_touched AS t "
        "ON t.account_id <> '' AND (a.account_id = t.account_id OR a.record_id = t.account_id)"
    ),
    "SELECT d.domain_key FROM _mailroom.crm_domains AS d JOIN crm_touched AS t ON d.record_id = t.account_id",
)
_TOUCHED: dict[RecordKind, tuple[str, ...]] = {
    RecordKind.ACCOUNT: _OF_THE_COMPANY,
    RecordKind.ORGANIZATION: _OF_THE_COMPANY,
    RecordKind.OPPORTUNITY: _OF_THE_OPPORTUNITY,
}


def put_crm(connection: duckdb.DuckDBPyConnection, change: CrmChange) -> CrmOutcome:
    """Make a change, inside the caller's transaction; or only count what it would come to."""
    gone = {one for one in change.deleted if one}
    given = {one.record_id: one for one in change.records if one.record_id not in gone}
    rows = [_row(change.kind, one) for one in given.values()]
    keys = pa.table({"record_key": pa.array([record_key(change.kind, one) for one in gone], pa.uint64())})
    with registered(connection, "given", columns(rows, _RECORDS)), registered(connection, "gone", keys):
        fresh = _compare(connection)
        deleted = _count_gone(connection)
        if not change.dry_run:
            _touch(connection, change.kind)
            _replace(connection)
            _touch(connection, change.kind)
    total, new, unchanged = fresh
    return CrmOutcome(new, total - new - unchanged, unchanged, deleted, len(gone) - deleted)


def keys_of(records: Iterable[CrmRecord]) -> Iterator[int]:
    """All keys that records are found by."""
    for one in records:
        yield from map(address_key, one.addresses)
        yield from map(domain_key, one.domains)
        yield from _links(one)


def _links(one: CrmRecord) -> list[int]:
    return [*map(contact_link, one.contact_ids), *([company_link(one.account_id)] if one.account_id else [])]


def _row(kind: RecordKind, one: CrmRecord) -> tuple[object, ...]:
    return (
        kind.value, one.record_id, record_key(kind, one.record_id), one.name, list(one.addresses), list(one.domains),
        one.owner, one.account_id, one.stage, one.is_open, list(one.contact_ids), one.active_at, one.updated_at,
        [address_key(address) for address in one.addresses], [domain_key(domain) for domain in one.domains],
        _links(one),
    )  # fmt: skip


def _compare(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, int]:
    """Keep the records that differ in ``differing``; how many there are, are new, and are the same."""
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE crm_differing AS
        SELECT g.*, r.record_key IS NULL AS is_new, r.record_key IS NOT NULL AND {_SAME} AS same
        FROM given AS g LEFT JOIN _mailroom.crm_records AS r ON r.record_key = g.record_key
        """  # noqa: S608 (our own words only)
    )
    found = connection.execute(
        "SELECT count(*), count(*) FILTER (is_new), count(*) FILTER (same) FROM crm_differing"
    ).fetchall()[0]
    connection.execute("DELETE FROM crm_differing WHERE same")
    return int(found[0]), int(found[1]), int(found[2])


def _touch(connection: duckdb.DuckDBPyConnection, kind: RecordKind) -> None:
    """Write down the keys that the records concerned have, as they are in the file at this moment."""
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE crm_touched AS SELECT record_key, record_id, account_id, contact_ids
        FROM _mailroom.crm_records
        WHERE record_key IN (SELECT record_key FROM crm_differing UNION ALL SELECT record_key FROM gone)
        """
    )
    own = (
        "SELECT address_key FROM _mailroom.crm_addresses WHERE record_key IN (SELECT record_key FROM crm_touched)",
        "SELECT domain_key FROM _mailroom.crm_domains WHERE record_key IN (SELECT record_key FROM crm_touched)",
    )
    for select in (*own, *_TOUCHED.get(kind, ())):
        connection.execute(f"INSERT INTO _mailroom.crm_changes {select}")


def _count_gone(connection: duckdb.DuckDBPyConnection) -> int:
    """How many there are of those to be deleted."""
    found = connection.execute(
        "SELECT count(*) FROM _mailroom.crm_records WHERE record_key IN (SELECT record_key FROM gone)"
    ).fetchall()
    return int(found[0][0])


def _replace(connection: duckdb.DuckDBPyConnection) -> None:
    """Put in what differs, and take out what is to be deleted."""
    for table in ("crm_records", "crm_addresses", "crm_domains", "crm_companies", "crm_roles"):
        connection.execute(
            f"DELETE FROM _mailroom.{table} "  # noqa: S608
            "WHERE record_key IN (SELECT record_key FROM crm_differing UNION ALL SELECT record_key FROM gone)"
        )
    connection.execute(f"INSERT INTO _mailroom.crm_records ({_STORED}) SELECT {_STORED} FROM crm_differing")  # noqa: S608
    connection.execute(
        """
        INSERT INTO _mailroom.crm_addresses (address_key, address, record_key, kind, record_id, account_id)
        SELECT unnest(address_keys), unnest(addresses), record_key, kind, record_id, account_id
        FROM crm_differing WHERE kind <> 'opportunity'
        """
    )
    connection.execute(
        """
        INSERT INTO _mailroom.crm_domains (domain_key, "domain", record_key, kind, record_id)
        SELECT unnest(domain_keys), unnest(domains), record_key, kind, record_id
        FROM crm_differing WHERE kind IN ('account', 'organization')
        """
    )
    connection.execute(
        "INSERT INTO _mailroom.crm_companies SELECT record_key, record_id, kind FROM crm_differing "
        "WHERE kind IN ('account', 'organization')"
    )
    connection.execute(
        """
        INSERT INTO _mailroom.crm_roles
        SELECT unnest(link_keys), record_key, record_id, "owner", is_open, coalesce(active_at, updated_at), account_id,
               contact_ids
        FROM crm_differing WHERE kind = 'opportunity'
        """
    )
