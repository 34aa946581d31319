from typing import Any

import pytest

from engine.errors import SettingsError
from engine.setting_values import is_mail_address, split_addresses
from engine.settings import Settings, build_settings

SECRETS = {
    "MAILROOM_EXCHANGE_PASSWORD": "p",
    "MAILROOM_CLIENT_SECRET": "s",
    "MAILROOM_SMTP_PASSWORD": "smtp-p4ss",
}
TOLD = {"notify_failures_to": "ann@example.com"}
APPLICATION = {"auth": "oauth2", "tenant_id": "t", "client_id": "c", "username": ""}


def build(environ: dict[str, str] | None = None, **sections: Any) -> Settings:
    exchange = {"url": "https://mail.example.com/EWS/Exchange.asmx", "username": "EXAMPLE\\svc"}
    raw = {**sections, "exchange": {**exchange, **sections.get("exchange", {})}}
    return build_settings(raw, SECRETS if environ is None else environ, "m.toml")


def problem(environ: dict[str, str] | None = None, **sections: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        build(environ, **sections)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("", ()),
        (" ; ;", ()),
        ("ann@example.com", ("ann@example.com",)),
        (" ann@example.com ;bob@example.com; ", ("ann@example.com", "bob@example.com")),
        ("ann@example.com;ANN@example.com;bob@example.com", ("ann@example.com", "bob@example.com")),
        ("änn@bücher.example", ("änn@bücher.example",)),
    ],
)
def test_addresses_are_separated_by_semicolons(text: str, addresses: tuple[str, ...]) -> None:
    assert build(email_sync={"notify_failures_to": text}).email_sync.failure_recipients == addresses
    assert split_addresses(text) == addresses


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("ann@example.com; bob", "'bob' is not an email address."),
        ("ann@example.com, bob@example.com", "separate addresses by semicolons."),
        ("ann@example.com bob@example.com", "separate addresses by semicolons."),
        ("Ann <ann@example.com>", "'Ann <ann@example.com>' is not an email address"),
        ("ann@example.com\r\nBcc: eve@example.com", "is not an email address"),
        ('"ann"@example.com', "is not an email address"),
    ],
)
def test_the_bad_address_is_named(text: str, named: str) -> None:
    said = problem(email_sync={"notify_failures_to": text})
    assert said.startswith("m.toml: email_sync.notify_failures_to: ")
    assert named in said


def test_digests_want_a_sender() -> None:
    wanted = "email_sync.notify_failures_to wants smtp.from"
    assert wanted in problem(email_sync=TOLD, smtp={"host": "mx"})
    assert wanted in problem(email_sync=TOLD, exchange=APPLICATION)
    assert build(email_sync=TOLD).mail_sender == ""
    assert build(smtp={"host": "mx"}).mail_sender == ""
    assert build(email_sync=TOLD, smtp={"host": "mx"}, exchange={"username": "svc@example.com"}).mail_sender
    assert build(email_sync=TOLD, smtp={"from": "m@example.com"}, exchange=APPLICATION).mail_sender == "m@example.com"
    assert "smtp.from: 'x' is not an email address" in problem(smtp={"from": "x"})


def test_a_password_is_not_sent_in_the_clear() -> None:
    assert "wants starttls = true or tls = true" in problem(smtp={"host": "mx.example.com", "username": "m"})
    for safe in ({"starttls": True}, {"tls": True}, {"host": "127.0.0.1"}):
        settings = build(smtp={"host": "mx.example.com", "username": "m", **safe})
        assert "smtp-p4ss" not in repr(settings)


def test_tls_is_one_or_the_other() -> None:
    assert "set one of them" in problem(smtp={"tls": True, "starttls": True})


def test_a_user_name_wants_its_password() -> None:
    bare = {name: value for name, value in SECRETS.items() if name != "MAILROOM_SMTP_PASSWORD"}
    assert "MAILROOM_SMTP_PASSWORD" in problem(bare, smtp={"username": "m", "tls": True})


@pytest.mark.parametrize("text", ["", "a", "a@", "@b", "a@b@c", "a b@c", "a@b;c@d", "a@b\x00", "a@b)"])
def test_what_is_no_address(text: str) -> None:
    assert not is_mail_address(text)
