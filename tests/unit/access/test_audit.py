import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.access import redaction, tokens
from engine.access.audit import (
    ACTIONS,
    SIDE_LIMIT,
    Action,
    AuditEntry,
    AuditOutcome,
    action_of,
    changes,
    side_json,
)
from engine.access.roles import Permission, Role
from engine.access.tokens import TokenRequest

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SECRET = "hunter2-Zz9"
TOKEN = tokens.issue(TokenRequest("grafana", Role.VIEWER, "ann"), bytes(range(40)), NOW).text

NAMES = st.sampled_from(
    [
        "password",
        "Password",
        "PASSWORD",
        "exchange.password",
        "MAILROOM_ADMIN_TOKEN",
        "client_secret",
        "clientSecret",
        "smtp-passwd",
        "api_key",
        "apiKey",
        "X-API-Key",
        "Authorization",
        "set-cookie",
        "credentials",
        "digest",
        "signing_key",
        "key",
        "passphrase",
        "access_token",
        "pwd",
        "PIN",
        "\uff50assword",
        "private\u00adkey",
    ]
)
VALUES: st.SearchStrategy[object] = st.sampled_from(
    [SECRET, [SECRET], {"value": SECRET}, SECRET.encode(), (1, SECRET), {SECRET: 1}]
)
PLAIN: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def entry(before: Mapping[str, object], after: Mapping[str, object], target: str = "x") -> AuditEntry:
    return AuditEntry(NOW, Action.SETTINGS_CHANGE, AuditOutcome.DONE, "ann", target=target, before=before, after=after)


def nested(name: str, value: object, depth: int) -> dict[str, object]:
    inner: dict[str, object] = {name: value, "other": "seen"}
    for level in range(depth):
        inner = {f"level{level}": [inner] if level % 2 else inner}
    return inner


@given(name=NAMES, value=VALUES, depth=st.integers(0, 6), beside=PLAIN)
def test_what_goes_by_a_secrets_name_never_enters(name: str, value: object, depth: int, beside: object) -> None:
    side = {**nested(name, value, depth), "beside": beside}
    made = entry(side, {})
    assert SECRET not in repr(made)
    assert SECRET not in side_json(made.before)


@given(name=NAMES, value=st.integers() | st.booleans() | st.floats())
def test_a_secret_is_one_whatever_its_type(name: str, value: object) -> None:
    assert entry({name: value}, {}).before == {redaction.text(name): redaction.REDACTED}


@pytest.mark.parametrize(
    "name", ["token_id", "name", "email_sync.batch_size", "role", "access_group", "monkeys", "author"]
)
def test_other_names_are_kept(name: str) -> None:
    assert entry({name: "x"}, {}).before == {name: "x"}


def test_a_secret_that_was_not_set_shows_as_that() -> None:
    assert entry({"password": None}, {"password": SECRET}).before == {"password": None}


@pytest.mark.parametrize(
    "text",
    [
        f"Bearer {SECRET}",
        f"authorization: basic {SECRET}",
        f"https://ann:{SECRET}@mail.example.com/EWS",
        f"https://mail.example.com/ews/notifications/{SECRET}",
        f"password={SECRET}&x=1",
        f'{{"client_secret": "{SECRET} and more {SECRET}"}}',
        f"PASSWORD '{SECRET}'".replace(" ", " = "),
        f"api-key=1 apikey:{SECRET}",
    ],
)
def test_what_looks_like_a_credential_is_taken_out_of_text(text: str) -> None:
    made = entry({"note": text, text: 1}, {}, target=text)
    assert SECRET not in repr(made)


@given(before=st.text(max_size=600), after=st.text(max_size=60))
def test_our_tokens_are_taken_out_wherever_they_stand(before: str, after: str) -> None:
    made = entry({"sql": before + TOKEN + after}, {}, target=TOKEN)
    assert TOKEN[20:-6] not in repr(made)


@given(side=st.dictionaries(st.text(), PLAIN, max_size=80))
def test_every_side_is_json_of_bounded_size(side: dict[str, object]) -> None:
    made = entry(side, side)
    for kept in (made.before, made.after):
        text = side_json(kept)
        assert len(text.encode()) <= SIDE_LIMIT
        assert json.loads(text) == kept
        assert "\n" not in text


@pytest.mark.parametrize(
    "side",
    [
        {"sql": "x" * 1_000_000},
        {"ids": [f"operator-{n:030}" for n in range(50_000)]},
        {f"{'😀' * 90}{n}": "😀" * 1000 for n in range(500)},
        {"number": 10**5000, "nan": float("nan"), "bytes": b"\xff" * 10_000},
    ],
)
def test_large_and_odd_values_are_cut(side: dict[str, object]) -> None:
    text = side_json(entry(side, {}).before)
    assert len(text.encode()) <= SIDE_LIMIT


def test_depth_is_bounded() -> None:
    deep: object = "bottom"
    for _ in range(500):
        deep = [deep]
    assert "bottom" not in side_json(entry({"deep": deep}, {}).before)


def test_names_and_targets_are_one_line_of_bounded_length() -> None:
    made = AuditEntry(NOW, Action.LOGIN, AuditOutcome.REFUSED, "a\nb\x1b[31m\ud800", target="y" * 5000)
    assert made.principal == "a b\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}"
    assert len(made.target) == 200
    assert made.target.endswith("… (5,000 characters)")


def test_only_what_differs_is_kept_and_a_changed_secret_shows_as_changed() -> None:
    before, after = changes({"a": 1, "b": 2, "password": "x", "gone": 3}, {"a": 1, "b": 5, "password": "y", "new": 4})
    made = entry(before, after)
    assert made.before == {"b": 2, "password": "[redacted]", "gone": 3, "new": None}
    assert made.after == {"b": 5, "password": "[redacted]", "gone": None, "new": 4}


def test_times_and_kinds_read_as_people_write_them() -> None:
    kept = entry({"at": NOW, "every": timedelta(minutes=15), "role": Role.VIEWER, "groups": frozenset({"b", "a"})}, {})
    assert kept.before == {
        "at": "2026-11-24 09:00:00+00:00",
        "every": "0:15:00",
        "role": "viewer",
        "groups": ["a", "b"],
    }


def test_what_goes_in_is_not_changed() -> None:
    side: dict[str, object] = {"password": SECRET, "list": [1]}
    entry(side, side)
    assert side == {"password": SECRET, "list": [1]}


def test_every_action_has_its_words() -> None:
    assert set(ACTIONS) == set(Action)


@pytest.mark.parametrize("permission", list(Permission))
def test_every_change_and_every_look_at_mail_has_an_action(permission: Permission) -> None:
    reads = permission.endswith(":read") and permission is not Permission.EMAILS_READ
    if not reads:
        assert action_of(permission, "POST") is not None
    mail = permission in {Permission.EMAILS_READ, Permission.QUERY_RUN}
    assert (action_of(permission, "GET") is not None) is mail


def test_a_token_that_is_deleted_is_revoked() -> None:
    assert action_of(Permission.TOKENS_MANAGE, "DELETE") is Action.TOKENS_REVOKE
    assert action_of(Permission.TOKENS_MANAGE, "POST") is Action.TOKENS_CREATE
