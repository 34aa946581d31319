"""Documents of the Application Settings: made, changed, checked, compared, replayed; and never a secret in them."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.application_settings.advice import warnings_of
from engine.application_settings.document import (
    change,
    differences,
    document_of,
    flat,
    nested,
    replay,
    seeded,
    with_document,
)
from engine.application_settings.effects import Effects, effects_of, jobs_after
from engine.application_settings.keys import known_keys, parse
from engine.application_settings.model import SettingChange
from engine.errors import SettingsConflict, SettingsError
from engine.jobs.model import JobName
from engine.settings import Settings
from tests.fakes.settings import FakeSettings, file_settings

SETTINGS = file_settings()
DOCUMENT = document_of(SETTINGS)
SECRET = SETTINGS.exchange.password.get_secret_value()

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "exchange.url": st.sampled_from(["https://a.example.com/EWS", "http://127.0.0.1:1/EWS", "nonsense"]),
    "exchange.version": st.sampled_from(["Exchange2010", "Exchange365", "Exchange2019"]),
    "exchange.username": st.sampled_from(["", "ann", "bob@example.com"]),
    "exchange.timeout": st.floats(allow_nan=True) | st.integers(-1, 700),
    "exchange.verify_tls": st.booleans(),
    "exchange.password": st.just("x"),
    "email_sync.batch_size": st.integers(-5, 600),
    "email_sync.sync_from_days": st.integers(0, 400),
    "email_sync.debounce": st.sampled_from(["0.00001s", "1.5s", "3650d", "100000.5s", "-1s"]) | st.floats(0, 1e9),
    "email_sync.folders": st.lists(st.sampled_from(["inbox", "sentitems", "archive"]), max_size=3),
    "email_sync.notify_failures_to": st.sampled_from(["", "a@x.com", "a@x.com; b@y.org", "a"]),
    "email_sync.deletions": st.sampled_from(["mark", "remove", "forget"]),
    "email_sync.colour": st.just("blue"),
}
changes_given = st.dictionaries(st.sampled_from(sorted(VALUES)), st.none(), min_size=1, max_size=3).flatmap(
    lambda keys: st.fixed_dictionaries({key: VALUES[key] for key in keys})
)
steps = st.lists(st.tuples(changes_given, st.sampled_from(["ann", "bob"]), st.integers(-1, 1)), max_size=8)


@given(steps=steps)
def test_whatever_is_changed_the_history_replays_to_the_document(
    steps: list[tuple[dict[str, Any], str, int]],
) -> None:
    async def go() -> None:
        room = FakeSettings()
        before = await room.current()
        for changes, by, drift in steps:
            expected = None if drift == 0 else before.version + drift
            try:
                after = await room.change(changes, by, expected)
            except (SettingsError, SettingsConflict):
                assert await room.current() == before
                continue
            assert drift == 0, "else another version was meant"
            assert (after.version == before.version) == (after.document == before.document)
            assert differences(before.document, after.document) == after.changes
            before = await room.current()
            assert before.document == after.document
            assert document_of(with_document(SETTINGS, before.document)) == before.document, "it is a fixed point"
        assert [one.version for one in room.versions] == list(range(1, len(room.versions) + 1))
        assert replay(change for one in room.versions for change in one.changes) == room.versions[-1].document
        kept = json.dumps([[one.document, [flatly(change) for change in one.changes]] for one in room.versions])
        assert SECRET not in kept
        assert "password" not in kept
        assert json.loads(json.dumps(before.document, allow_nan=False)) == before.document

    asyncio.run(go())


def flatly(one: SettingChange) -> list[Any]:
    return [one.key, one.old, one.new]


def test_a_document_has_every_key_but_the_secrets() -> None:
    assert list(flat(DOCUMENT)) == known_keys()
    assert not any("password" in key or "secret" in key for key in known_keys())
    assert nested(flat(DOCUMENT)) == DOCUMENT
    assert json.loads(json.dumps(DOCUMENT)) == DOCUMENT


def test_settings_with_a_document_keep_all_the_rest() -> None:
    base = file_settings(cluster={"hosts_per_node": 5}, operators=[{"email": "ann@example.com"}])
    changed = with_document(base, change(DOCUMENT, {"email_sync.batch_size": 7, "exchange.username": "other"}))
    assert (changed.email_sync.batch_size, changed.exchange.username) == (7, "other")
    assert changed.exchange.password.get_secret_value() == SECRET
    assert (changed.cluster, changed.operators) == (base.cluster, base.operators)
    assert with_document(base, document_of(base)) == base


def test_what_sections_owe_each_other_is_checked_too() -> None:
    base = file_settings(smtp={"host": "mail.example.com"}, exchange={**exchange(), "username": "service"})
    with pytest.raises(SettingsError, match=r"notify_failures_to wants smtp\.from"):
        with_document(base, change(document_of(base), {"email_sync.notify_failures_to": "a@x.com"}))


def exchange() -> dict[str, str]:
    return {"url": "https://mail.example.com/EWS/Exchange.asmx"}


def test_of_the_file_only_edits_count() -> None:
    stored = change(DOCUMENT, {"email_sync.batch_size": 7, "email_sync.sync_from_days": 7})
    edited = change(DOCUMENT, {"email_sync.sync_from_days": 30})
    assert seeded(stored, DOCUMENT, DOCUMENT) == stored
    assert seeded(stored, DOCUMENT, edited) == change(stored, {"email_sync.sync_from_days": 30})
    assert seeded(stored, edited, edited) == stored


# Keys and texts


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("email_sync.batch_size", "100", 100),
        ("exchange.timeout", "2.5", 2.5),
        ("email_sync.enabled", "No", False),
        ("exchange.verify_tls", "true", True),
        ("email_sync.folders", "inbox, Archive ,", ["inbox", "Archive"]),
        ("email_sync.associate_with", "", []),
        ("email_sync.debounce", " 500s ", "500s"),
        ("email_sync.notify_failures_to", "a@x.com; b@x.com", "a@x.com; b@x.com"),
        ("exchange.username", "DOMAIN\\service", "DOMAIN\\service"),
        ("exchange.version", "Exchange2013", "Exchange2013"),
    ],
)
def test_text_is_read_by_the_kind_of_the_key(key: str, text: str, value: object) -> None:
    read = parse(key, text)
    assert (read, type(read)) == (value, type(value))
    with_document(SETTINGS, change(DOCUMENT, {key: read}))


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("email_sync.batch_size", "many", "email_sync.batch_size: must be a whole number, not 'many'."),
        ("email_sync.batch_size", "1.5", "email_sync.batch_size: must be a whole number, not '1.5'."),
        ("exchange.timeout", "soon", "exchange.timeout: must be a number, not 'soon'."),
        ("email_sync.enabled", "perhaps", "email_sync.enabled: must be true or false, not 'perhaps'."),
        ("batch_size", "1", "batch_size: no such key. Did you mean email_sync.batch_size?"),
        (
            "email_sync.notify_url",
            "x",
            "email_sync.notify_url: no such key. Did you mean email_sync.notification_url or ",
        ),
        ("exchange.pasword", "x", "exchange.pasword: no such key. The keys are exchange.url, "),
        ("smtp.host", "x", "smtp.host: not one of the Application Settings. Set it in the configuration file."),
        (
            "exchange.client_secret",
            "x",
            "exchange.client_secret: secrets are not kept with the settings. Set the environment variable MAILROOM_",
        ),
        ("smtp.password", "x", "MAILROOM_SMTP_PASSWORD"),
        ("admin_token", "x", "MAILROOM_ADMIN_TOKEN"),
    ],
)
def test_what_cannot_be_read_is_explained(key: str, text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(key, text)
    assert message in str(caught.value)


# Advice


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({}, []),
        ({"email_sync.notification_frequency": 25}, []),
        ({"email_sync.notification_frequency": 5}, ["email_sync.notification_frequency"]),
        ({"email_sync.notification_frequency": 60}, ["email_sync.notification_frequency"]),
        ({"exchange.url": "http://mail.example.com/EWS"}, ["exchange.url"]),
        ({"exchange.url": "http://localhost:1/EWS"}, []),
        ({"exchange.url": "http://mail.example.com/EWS", "exchange.auth": "ntlm"}, []),
        ({"exchange.verify_tls": False}, ["exchange.verify_tls"]),
        ({"email_sync.notification_url": ""}, ["email_sync.notification_url"]),
        ({"email_sync.notify_failures_to": ""}, ["email_sync.notify_failures_to"]),
    ],
)
def test_warnings(changes: dict[str, Any], keys: list[str]) -> None:
    well = {"email_sync.notification_url": "https://x.example.com", "email_sync.notify_failures_to": "a@x.com"}
    warnings = warnings_of(change(DOCUMENT, well | changes))
    assert [one.partition(":")[0] for one in warnings] == keys


# Effects


@pytest.mark.parametrize(
    ("key", "old", "new", "effects"),
    [
        ("email_sync.batch_size", 1, 2, Effects()),
        ("email_sync.sync_from_days", 1, 2, Effects(resync=True)),
        ("email_sync.sync_from_days", 2, 1, Effects()),
        ("email_sync.sync_from_days", None, 90, Effects()),
        ("email_sync.folders", ["inbox"], [], Effects(resync=True)),
        ("email_sync.notification_frequency", 1, 2, Effects(resubscribe=True)),
        ("email_sync.notification_url", "", "https://x", Effects(resubscribe=True)),
        ("exchange.url", "a", "b", Effects(resubscribe=True, resync=True)),
        ("exchange.username", "a", "b", Effects(resync=True)),
    ],
)
def test_what_follows_from_a_change(key: str, old: object, new: object, effects: Effects) -> None:
    changes = [SettingChange("email_sync.skip_private", True, False), SettingChange(key, old, new)]
    assert effects_of(changes) == effects
    assert (JobName.EMAIL_SYNC in jobs_after(changes)) == effects.resync
    assert (JobName.MANAGE_PUSH_SUBSCRIPTIONS in jobs_after(changes)) == effects.resubscribe


def test_a_settings_model_without_a_kind_of_its_own_is_noticed() -> None:
    """``parse`` knows every kind of value there is."""
    assert set(SETTINGS.model_dump()) == set(Settings.model_fields)
    for key, value in flat(DOCUMENT).items():
        text = ", ".join(value) if isinstance(value, list) else str(value).lower() if isinstance(value, bool) else value
        assert parse(key, str(text)) == value
