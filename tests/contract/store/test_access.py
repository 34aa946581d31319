"""The stores under contract: tokens, and the audit trail."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine import errors
from engine.access.audit import Action, AuditEntry, AuditOutcome
from engine.access.roles import Role
from engine.access.tokens import TokenRecord
from engine.listing import Listing, View
from tests.fakes.store_words import AnyStore

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
GRAFANA = TokenRecord(
    "aaaaaaaaaaaa", "grafana", Role.SALES_OPS, bytes(range(32)), frozenset({"night shift", "ünï"}), NOW, "boss"
)
ENTRY = AuditEntry(
    at=NOW,
    action=Action.SETTINGS_CHANGE,
    outcome=AuditOutcome.DONE,
    principal="boss",
    role=Role.ADMINISTRATOR,
    token_id="aaaaaaaaaaaa",
    address="192.0.2.1",
    target="batch_size",
    before={"batch_size": 512},
    after={"batch_size": 100, "ü": ["'; DROP TABLE x; --"]},
    entry_id="e1",
)


async def trail(store: AnyStore) -> list[str]:
    return [row["entry_id"] for row in (await store.page(Listing(View.AUDIT))).items]


async def test_a_token_is_kept_as_it_is(store: AnyStore) -> None:
    later = replace(
        GRAFANA, token_id="b" * 12, name="x", groups=frozenset(), created_at=NOW + timedelta(seconds=1), expires_at=NOW
    )
    await store.add_token(GRAFANA)
    await store.add_token(later)
    assert await store.tokens() == [later, GRAFANA]


async def test_revoking_keeps_the_record_and_its_first_time(store: AnyStore) -> None:
    await store.add_token(GRAFANA)
    revoked = await store.revoke_token(GRAFANA.token_id, NOW)
    assert revoked == replace(GRAFANA, revoked_at=NOW)
    assert await store.revoke_token(GRAFANA.token_id, NOW + timedelta(days=1)) == revoked
    assert await store.tokens() == [revoked]
    with pytest.raises(errors.UnknownToken, match="nobody"):
        await store.revoke_token("nobody", NOW)


async def test_a_name_is_one_token_in_use(store: AnyStore) -> None:
    await store.add_token(GRAFANA)
    second = replace(GRAFANA, token_id="b" * 12)
    with pytest.raises(errors.TokenRefused, match="grafana"):
        await store.add_token(second)
    with pytest.raises(errors.TokenRefused):
        await store.add_token(replace(GRAFANA, name="other"))
    await store.revoke_token(GRAFANA.token_id, NOW)
    await store.add_token(second)
    with pytest.raises(errors.TokenRefused):
        await store.add_token(replace(GRAFANA, name="other"))
    assert {one.token_id: one.revoked_at for one in await store.tokens()} == {"a" * 12: NOW, "b" * 12: None}


async def test_the_latest_use_is_noted(store: AnyStore) -> None:
    await store.add_token(GRAFANA)
    await store.note_token_uses({GRAFANA.token_id: NOW, "nobody": NOW})
    await store.note_token_uses({GRAFANA.token_id: NOW - timedelta(hours=1)})
    await store.note_token_uses({})
    assert [one.last_used_at for one in await store.tokens()] == [NOW]


async def test_an_entry_is_kept_once_and_as_it_is(store: AnyStore) -> None:
    await store.write_audit([ENTRY, ENTRY])
    await store.write_audit([ENTRY, replace(ENTRY, entry_id="e2", at=NOW + timedelta(seconds=1))])
    await store.write_audit([ENTRY])
    await store.write_audit([])
    assert await trail(store) == ["e2", "e1"]
    (_, kept) = (await store.page(Listing(View.AUDIT))).items
    assert kept == {
        "entry_id": "e1",
        "at": NOW,
        "action": "settings.change",
        "outcome": "done",
        "principal": "boss",
        "role": "administrator",
        "token_id": "a" * 12,
        "address": "192.0.2.1",
        "target": "batch_size",
        "before": '{"batch_size":512}',
        "after": '{"batch_size":100,"ü":["\'; DROP TABLE x; --"]}',
    }


async def test_the_trail_is_listed_by_what_is_asked_for(store: AnyStore) -> None:
    refused = AuditEntry(NOW, Action.LOGIN, AuditOutcome.REFUSED, address="192.0.2.9", entry_id="e3")
    await store.write_audit([ENTRY, replace(ENTRY, entry_id="e2", principal="viewer"), refused])
    for equal, expected in (
        ({"principal": "boss"}, ["e1"]),
        ({"action": "login", "outcome": "refused"}, ["e3"]),
        ({"principal": ""}, ["e3"]),
        ({"target": "batch_size"}, ["e1", "e2"]),
    ):
        assert [row["entry_id"] for row in (await store.page(Listing(View.AUDIT, equal))).items] == expected


@pytest.mark.parametrize("sql", ["FROM audit", "FROM tokens", "FROM _mailroom.audit", "FROM _mailroom.tokens"])
async def test_neither_is_a_view_people_query(store: AnyStore, sql: str) -> None:
    await store.add_token(GRAFANA)
    with pytest.raises(errors.QueryRefused):
        await store.query(sql)
