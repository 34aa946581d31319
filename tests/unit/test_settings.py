from pathlib import Path
from typing import Any

import pytest

from engine.errors import SettingsError
from engine.jobs.model import Job, JobName
from engine.settings import ExchangeVersion, Settings, build_settings, load_settings

ENVIRON = {"MAILROOM_EXCHANGE_PASSWORD": "pass-word-1"}
EXCHANGE = {"url": "https://mail.example.com/EWS/Exchange.asmx", "username": "service@example.com"}


def build(environ: dict[str, str] | None = None, **sections: Any) -> Settings:
    raw = {"exchange": EXCHANGE, **sections}
    return build_settings(raw, ENVIRON if environ is None else environ, "mailroom.toml")


def problem(environ: dict[str, str] | None = None, **sections: Any) -> str:
    with pytest.raises(SettingsError) as caught:
        build(environ, **sections)
    return str(caught.value)


def exchange(**keys: Any) -> dict[str, Any]:
    return {**EXCHANGE, **keys}


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "mailroom.toml"
    path.write_text(
        """
        [exchange]
        url = "https://mail.example.com/EWS/Exchange.asmx"
        username = "service@example.com"
        version = "Exchange365"

        [jobs.EmailSync]
        every = "90s"

        [smtp]
        from = "mailroom@example.com"

        [[operators]]
        email = "anna@example.com"
        """,
        encoding="utf-8",
    )
    settings = load_settings(path, {**ENVIRON, "MAILROOM_ADMIN_TOKEN": "t", "MAILROOM_KEY": "k"})
    assert settings.exchange.version is ExchangeVersion.EXCHANGE365
    assert settings.exchange.password.get_secret_value() == "pass-word-1"
    assert settings.admin_token.get_secret_value() == "t"
    assert settings.key.get_secret_value() == "k"
    assert settings.jobs.EmailSync.every == "90s"
    assert settings.smtp.sender == "mailroom@example.com"
    assert settings.operators[0].record().operator_id == "anna@example.com"
    assert settings.email_sync.folders == ("inbox", "sentitems")


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "mailroom.toml"
    path.write_text('\ufeff[exchange]\nurl = "http://x/EWS"\nusername = "u"\n', encoding="utf-8")
    assert load_settings(path, ENVIRON).exchange.username == "u"


def test_secrets_do_not_print() -> None:
    settings = build({**ENVIRON, "MAILROOM_ADMIN_TOKEN": "token-1", "MAILROOM_SMTP_PASSWORD": "smtp-1"})
    assert not any(secret in f"{settings!r}{settings}" for secret in ("pass-word-1", "token-1", "smtp-1"))


def test_the_given_data_is_left_alone() -> None:
    raw: dict[str, Any] = {"exchange": dict(EXCHANGE)}
    build_settings(raw, ENVIRON)
    assert raw == {"exchange": EXCHANGE}


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("1.5h", 5400), (" 1 d ", 86400), (5, 5)])
def test_intervals(text: object, seconds: float) -> None:
    assert build(email_sync={"debounce": text}).email_sync.debounce.total_seconds() == seconds


@pytest.mark.parametrize(
    ("given", "kept"),
    [("90s", "90s"), (" 1.5h ", " 1.5h "), (5, "5s"), (2.5, "2.5s"), ("0 6 * * mon-fri", "0 6 * * mon-fri")],
)
def test_schedules(given: object, kept: str) -> None:
    settings = build(jobs={"EmailSync": {"every": given, "timezone": "Europe/Berlin", "access_group": "ops"}})
    email_sync, subscriptions, associations = settings.jobs.records()
    assert email_sync == Job(JobName.EMAIL_SYNC, True, kept, "Europe/Berlin", "ops")
    assert subscriptions == Job(JobName.MANAGE_PUSH_SUBSCRIPTIONS, True, "1m")
    assert associations == Job(JobName.ASSOCIATE_EMAILS, True, "15s")


@pytest.mark.parametrize(
    ("sections", "line"),
    [
        ({"exchange": exchange(url="mail.example.com")}, "exchange.url: 'mail.example.com' is not an address such as "),
        ({"exchange": exchange(url="https://:80/")}, "exchange.url: 'https://:80/' has no usable host and port."),
        (
            {"exchange": exchange(url="https://x:99999/")},
            "exchange.url: 'https://x:99999/' has no usable host and port.",
        ),
        ({"exchange": exchange(url="https://u:secret@x/")}, "exchange.url: a user name or password does not belong"),
        ({"exchange": exchange(url="https://x/" + "a" * 2100)}, "exchange.url: longer than the 2,082 characters"),
        ({"exchange": {"username": "u"}}, "exchange.url: missing. Add it."),
        (
            {"exchange": exchange(version="Exchange2019")},
            "exchange.version: 'Exchange2019' is not one of 'Exchange2010'",
        ),
        ({"exchange": exchange(auth="digest")}, "exchange.auth: 'digest' is not one of 'basic', 'ntlm' or 'oauth2'."),
        ({"exchange": exchange(username="")}, 'exchange: auth = "basic" wants username.'),
        ({"exchange": exchange(auth="oauth2")}, 'exchange: auth = "oauth2" wants client_id and tenant_id.'),
        (
            {"exchange": exchange(auth="oauth2", client_id="c", tenant_id="t")},
            'exchange: auth = "oauth2" wants the environment variable MAILROOM_CLIENT_SECRET.',
        ),
        ({"exchange": exchange(timeout=0)}, "exchange.timeout: must be more than 0.0, not 0."),
        ({"exchange": 3}, "exchange: must be a section of its own"),
        ({"email_sync": {"batch_size": 513}}, "email_sync.batch_size: must be at most 512, not 513."),
        ({"email_sync": {"batch_size": 0}}, "email_sync.batch_size: must be at least 1, not 0."),
        ({"email_sync": {"batch_size": "many"}}, "email_sync.batch_size: must be a whole number, not 'many'."),
        ({"email_sync": {"batch_size": 1.5}}, "email_sync.batch_size: must be a whole number, not 1.5."),
        ({"email_sync": {"enabled": "maybe"}}, "email_sync.enabled: must be true or false, not 'maybe'."),
        ({"email_sync": {"sync_from_days": 0}}, "email_sync.sync_from_days: must be at least 1, not 0."),
        (
            {"email_sync": {"sync_from_days": 10**9}},
            "email_sync.sync_from_days: must be at most 200000, not 1000000000.",
        ),
        ({"email_sync": {"notification_frequency": 1441}}, "email_sync.notification_frequency: must be at most 1440"),
        ({"email_sync": {"notification_url": "x"}}, "email_sync.notification_url: 'x' is not an address such as "),
        (
            {"email_sync": {"notification_url": "https://x/?a=b"}},
            "email_sync.notification_url: 'https://x/?a=b' must end with its path, without ? or #.",
        ),
        (
            {"email_sync": {"folders": []}},
            'email_sync.folders: name at least one folder, such as ["inbox", "sentitems"].',
        ),
        ({"email_sync": {"folders": ["inbox", "inbox"]}}, "email_sync.folders: a folder is named twice."),
        ({"email_sync": {"folders": "inbox"}}, 'email_sync.folders: must be a list, such as ["...", "..."].'),
        ({"email_sync": {"folders": [1]}}, 'email_sync.folders[0]: must be text in quotes ("..."), not 1.'),
        ({"email_sync": {"associate_with": ["contact"]}}, "email_sync.associate_with[0]: 'contact' is not one of "),
        ({"email_sync": {"deletions": "keep"}}, "email_sync.deletions: 'keep' is not one of 'mark' or 'remove'."),
        (
            {"jobs": {"EmailSync": {"every": "5 min"}}},
            "jobs.EmailSync.every: '5 min' is no schedule; write an interval such as ",
        ),
        ({"jobs": {"EmailSync": {"every": "0.5s"}}}, "jobs.EmailSync.every: at least one second."),
        ({"jobs": {"EmailSync": {"every": True}}}, 'jobs.EmailSync.every: must be text in quotes ("..."), not true.'),
        (
            {"jobs": {"EmailSync": {"every": "0 0 30 2 *"}}},
            "jobs.EmailSync.every: '0 0 30 2 *' never comes: the months it names have no such day.",
        ),
        (
            {"jobs": {"EmailSync": {"timezone": "Europe/Berln"}}},
            "jobs.EmailSync.timezone: 'Europe/Berln' is not a time zone; write an IANA name such as \"Europe/Berlin\".",
        ),
        ({"jobs": {"EmailSync": {"every": 1e300}}}, "jobs.EmailSync.every: write an interval between 0 seconds and "),
        ({"jobs": {"EmailSync": {"every": []}}}, "jobs.EmailSync.every: must be text in quotes"),
        ({"store": {"path": 3}}, 'store.path: must be a path in quotes ("..."), not 3.'),
        ({"gateway": {"port": 70000}}, "gateway.port: must be at most 65535, not 70000."),
        ({"gateway": {"tls_cert": "x.pem"}}, "gateway: tls_cert and tls_key go together."),
        (
            {"gateway": {"listener_networks": ["192.0.2.0/33"]}},
            "gateway.listener_networks[0]: '192.0.2.0/33' is no network. Write one such as 192.0.2.0/24, ",
        ),
        (
            {"gateway": {"trusted_proxies": ["10.0.0.1", "10.0.0.1/8"]}},
            "gateway.trusted_proxies[1]: '10.0.0.1/8' is an address inside a network. Write 10.0.0.0/8 for all of it.",
        ),
        ({"gateway": {"api_networks": "10.0.0.0/8"}}, 'gateway.api_networks: must be a list, such as ["...", "..."].'),
        ({"gateway": {"forwarded_header": "Via"}}, "gateway.forwarded_header: 'Via' is not one of "),
        ({"smtp": {"port": 0}}, "smtp.port: must be at least 1, not 0."),
        ({"cluster": {"hosts_per_node": 0}}, "cluster.hosts_per_node: must be at least 1, not 0."),
        ({"cluster": {"sync_concurrency": 257}}, "cluster.sync_concurrency: must be at most 256, not 257."),
        ({"operators": {"email": "a@b"}}, "operators: write [[operators]] once for each operator."),
        ({"operators": ["a@b"]}, "operators[0]: must be a section of its own"),
        ({"operators": [{"email": "anna"}]}, "operators[0].email: 'anna' is not an email address."),
        (
            {"operators": [{"email": "a@b", "operator_id": "1"}, {"email": "c@d", "operator_id": "1"}]},
            "operators: operator_id '1' stands more than once.",
        ),
        (
            {"operators": [{"email": "a@b", "operator_id": "1"}, {"email": "A@b", "operator_id": "2"}]},
            "operators: email 'a@b' stands more than once.",
        ),
    ],
)
def test_each_problem_has_its_line(sections: dict[str, Any], line: str) -> None:
    text = problem(**sections)
    assert text.startswith(f"mailroom.toml: {line}")
    assert "\n" not in text
    assert "secret" not in text.replace("secrets", "").replace("MAILROOM_CLIENT_SECRET", "")


@pytest.mark.parametrize(
    ("sections", "line"),
    [
        ({"email_sync": {"batchsize": 3}}, "email_sync.batchsize: no such key; did you mean batch_size?"),
        ({"jobs": {"emailsync": {}}}, "jobs.emailsync: no such key; did you mean EmailSync?"),
        ({"emailsync": {}}, "emailsync: no such key; did you mean email_sync?"),
        ({"gateway": {"batch_size": 3}}, "gateway.batch_size: no such key here; batch_size belongs to [email_sync]."),
        (
            {"smtp": {"sender": "x"}},
            "smtp.sender: no such key. Known here: host, port, from, starttls, tls, verify_tls, username.",
        ),
        ({"store": {"zzz": 1}}, "store.zzz: no such key. Known here: path."),
    ],
)
def test_an_unknown_key_is_pointed_to_the_right_one(sections: dict[str, Any], line: str) -> None:
    assert problem(**sections) == f"mailroom.toml: {line}"


def test_a_wrong_key_of_an_operator() -> None:
    lines = problem(operators=[{"emial": "a@b"}]).splitlines()
    assert "mailroom.toml: operators[0].emial: no such key; did you mean email?" in lines


def test_every_problem_is_reported_at_once() -> None:
    lines = problem(email_sync={"batch_size": 0, "sync_from_days": 0}, gateway={"port": -1}).splitlines()
    assert len(lines) == 3
    assert all(line.startswith("mailroom.toml: ") for line in lines)


def test_a_missing_password_names_its_variable() -> None:
    assert problem({}) == (
        'mailroom.toml: exchange: auth = "basic" wants the environment variable MAILROOM_EXCHANGE_PASSWORD.'
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[exchange]\nurl = "https://x"\npassword = "p4ss"\n', "exchange.password: secrets do not belong in a file"),
        ('admin_token = "p4ss"\n', "admin_token: secrets do not belong in a file; set MAILROOM_ADMIN_TOKEN instead."),
        ('[smtp]\npassword = "p4ss"\n', "smtp.password: secrets do not belong in a file; set MAILROOM_SMTP_PASSWORD"),
        ("[exchange\n", "not valid TOML: "),
    ],
)
def test_what_a_file_must_not_be(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mailroom.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_settings(path, ENVIRON)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "p4ss" not in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"cannot be read: No such file.*Give --config the path"):
        load_settings(tmp_path / "none.toml", ENVIRON)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "mailroom.toml"
    path.write_bytes(b'[exchange]\nusername = "\xff\xfe"\n')
    with pytest.raises(SettingsError, match="not UTF-8 text"):
        load_settings(path, ENVIRON)
