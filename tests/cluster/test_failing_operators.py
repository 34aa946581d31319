"""500 operators, 20 of whom do not exist and 5 of whom may not be looked at; and then a password that is wrong for all.

One Mailroom for both, because troubles come together: what ails everybody must not be taken for the end of what ails
some, nor be told twice.
"""

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from engine.simulator import operators
from tests.cluster.compare import differences, served
from tests.cluster.exchange import ExchangeThread
from tests.cluster.postbox import Postbox
from tests.cluster.processes import eventually, settled
from tests.cluster.serve import Serve
from tests.fakes.smtp_server import Received

EVERYBODY = [person.email for person in operators(500)]
MISSING, DENIED, WELL = EVERYBODY[:20], EVERYBODY[20:25], EVERYBODY[25:]
RECIPIENTS = ["ann@example.com", "bob@example.com"]
HOSTS = 2
REFUSED_AT_MOST = HOSTS * 3 + 4
"""The third refusal in a row opens a host's circuit, and after the first one its requests go one at a time. A probe
follows after 2 seconds and then every 30 to 45; what was under way at the first refusal comes on top."""
_ADDRESS = re.compile(r"<(operator\d+@example\.com)>")
_BROKEN = "SELECT * FROM failures WHERE kind = 'mailbox'"
_RUN = "SELECT * FROM job_runs WHERE job = 'EmailSync' AND finished_at IS NOT NULL ORDER BY started_at"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def exchange() -> Iterator[ExchangeThread]:
    missing, denied = frozenset(MISSING), frozenset(DENIED)
    with ExchangeThread(operators=len(EVERYBODY), emails=5, missing=missing, denied=denied) as exchange:
        yield exchange


@pytest.fixture(scope="module")
def postbox() -> Iterator[Postbox]:
    with Postbox() as postbox:
        yield postbox


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory, exchange: ExchangeThread, postbox: Postbox) -> Iterator[Serve]:
    options = exchange.exchange.options
    serve = Serve(tmp_path_factory.mktemp("failing"), exchange.exchange.url, options.username, options.password)
    serve.configure(
        EVERYBODY,
        cluster=f"hosts_per_node = {HOSTS}",
        email_sync=f'notify_failures_to = "{"; ".join(RECIPIENTS)}"',
        smtp=f'host = "127.0.0.1"\nport = {postbox.port}\nfrom = "mailroom@example.com"',
    )
    serve.start()
    yield serve
    serve.kill()


def test_who_is_broken_is_told_in_two_digests_and_the_others_are_synced(
    serve: Serve, exchange: ExchangeThread, postbox: Postbox
) -> None:
    eventually(lambda: _synced(serve) == len(WELL), 120, "everybody else is synced")
    (run,) = eventually(lambda: serve.rows(_RUN), 30, "the run is through")
    assert (run["outcome"], run["operators"], run["failed"]) == ("partial", 500, 25)
    assert differences(exchange.do(lambda it: served(it, WELL)), serve.shown()) == []

    eventually(lambda: len(postbox.received) >= 2, 90, "two digests")
    digests = {_code(mail): mail for mail in postbox.received}
    assert len(postbox.received) == 2
    for code, touched in (("MAILBOX_NOT_FOUND", MISSING), ("IMPERSONATION_DENIED", DENIED)):
        assert digests[code].message["Subject"].startswith(f"[Mailroom] {len(touched)} operators: ")
        assert _named(digests[code]) == touched
        assert digests[code].recipients == RECIPIENTS
    _each_is_named(serve)


def test_a_wrong_password_is_one_alert_and_a_handful_of_refusals(
    serve: Serve, exchange: ExchangeThread, postbox: Postbox
) -> None:
    right = exchange.exchange.options.password
    processes = {one.pid for actor in ("MailboxHost", "Coordinator", "StoreActor") for one in serve.workers(actor)}
    told = len(postbox.received)
    began = time.monotonic()
    exchange.accept_only("another")
    _while_mail_arrives(exchange, lambda: _stands(serve), 30, "it is known that nobody is let in")
    assert serve.ask("jobs/EmailSync/run", {}) is not None  # what whoever notices would try
    _while_mail_arrives(exchange, lambda: _touched(serve) == set(WELL), 30, "all who can be are touched")
    _while_mail_arrives(exchange, lambda: len(postbox.received) > told, 60, "a digest")
    _each_is_named(serve)
    mails = postbox.received[told:]
    assert [(_code(mail), mail.message["Subject"].split(":")[0]) for mail in mails] == [
        ("AUTH_FAILED", "[Mailroom] 475 operators")
    ]

    refused = _refused(exchange, began)
    lasted = time.monotonic() - began
    exchange.accept_only(right)
    righted = time.monotonic()
    eventually(lambda: _synced(serve) == len(WELL), 60, "all are synced again")
    recovered = time.monotonic() - righted
    print(f"{refused} requests refused in {lasted:.0f} s; recovered after {recovered:.1f} s")  # noqa: T201
    settled(lambda: differences(exchange.do(lambda it: served(it, WELL)), serve.shown()), 30)
    assert processes == {
        one.pid for actor in ("MailboxHost", "Coordinator", "StoreActor") for one in serve.workers(actor)
    }
    assert refused <= REFUSED_AT_MOST

    eventually(lambda: len(postbox.received) > told + 1, 90, "the digest of its end")
    assert [_code(mail) for mail in postbox.received[told:]] == ["AUTH_FAILED", "AUTH_FAILED"]
    assert postbox.received[-1].message["Subject"].startswith("[Mailroom] Over: ")
    _each_is_named(serve)


def _each_is_named(serve: Serve) -> None:
    """Whoever has a trouble of their own is shown with it, with cause and remedy, whatever ails everybody."""
    rows = {row["operator_email"]: row for row in serve.rows(_BROKEN)}
    for code, touched in (("MAILBOX_NOT_FOUND", MISSING), ("IMPERSONATION_DENIED", DENIED)):
        shown = [(rows[email]["code"], rows[email]["state"]) for email in touched]
        assert shown == [(code, "failed")] * len(touched), Counter(row["code"] for row in rows.values())
        assert all(rows[email]["cause"] and rows[email]["remedy"] and rows[email]["message"] for email in touched)


def _while_mail_arrives(exchange: ExchangeThread, found: Callable[[], Any], within: float, what: str) -> None:
    """Wait, and let somebody get mail in between."""
    rng = random.Random(1)

    def deliver_and_look() -> Any:
        exchange.do(lambda it: it.deliver(rng.choice(WELL), subject="Meanwhile"))
        return found()

    eventually(deliver_and_look, within, what)


def _synced(serve: Serve) -> int:
    status = serve.status()
    return 0 if status is None or status["pending"] else int(status["operators"]["synced"])


def _touched(serve: Serve) -> set[str]:
    return {row["operator_email"] for row in serve.rows(f"{_BROKEN} AND code = 'AUTH_FAILED'")}


def _stands(serve: Serve) -> bool:
    status = serve.status()
    return status is not None and bool(status["exchange"] and status["exchange"]["standing"])


def _refused(exchange: ExchangeThread, since: float) -> int:
    return sum(call.status == 401 for call in exchange.calls(since))


def _code(mail: Received) -> str:
    return str(mail.message["Subject"]).rpartition("(")[2].rstrip(")")


def _named(mail: Received) -> Sequence[str]:
    body = mail.message.get_body(("plain",))
    assert body is not None
    return sorted(_ADDRESS.findall(body.get_content()))
