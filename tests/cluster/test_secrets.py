"""A whole run with secrets of distinctive text: sync, a login that fails, alerts by SMTP, tokens, queries and refusals.

Private mail is a secret too: neither its subject nor its body may be anywhere.

Afterwards none of them is in a log (Ray's included), in the database file or its log, or in any answer of the gateway,
nor what a secret looks like on its way: in base64 with its user's name, percent-encoded, as JSON.
"""

import base64
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import duckdb
import pytest

from api.app import ROUTES
from engine.access.roles import Role
from tests.cluster.exchange import ExchangeThread
from tests.cluster.loop_thread import LoopThread
from tests.cluster.processes import eventually
from tests.cluster.serve import Serve
from tests.fakes.certificate import self_signed
from tests.fakes.smtp_server import SmtpServer

USERNAME = "mailroom@example.com"
EXCHANGE, SMTP, ADMIN, KEY = (f'{name}&S3cr3t/"{name}"%41+{name}' for name in ("exch", "smtp", "admin", "key"))
SUBJECT, BODY = "Pr1vate-subject-7f3a", "Pr1vate-body-91cc"
QUERIES = (
    "SELECT * FROM subscriptions",
    "SELECT * FROM mailboxes",
    "SELECT * FROM failures",
    "SELECT * FROM emails LIMIT 5",
    "SELECT * FROM all_emails ORDER BY received_at DESC",
    "SELECT * FROM kept_out",
    "SELECT getenv('MAILROOM_ADMIN_TOKEN')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM _mailroom.subscriptions",
    "SELECT * FROM _mailroom.tokens",
    "SELECT nonsense",
)
_CALLBACK = re.compile(rb"/ews/notifications/[A-Za-z0-9_-]{20,}")

pytestmark = pytest.mark.timeout(300)


class Guarded(Serve):
    """Every secret of it is a text of its own."""

    @property
    def environ(self) -> dict[str, str]:
        secrets = {"EXCHANGE_PASSWORD": EXCHANGE, "SMTP_PASSWORD": SMTP, "ADMIN_TOKEN": ADMIN, "KEY": KEY}
        return {**super().environ, **{f"MAILROOM_{name}": value for name, value in secrets.items()}}

    def send(self, method: str, path: str, token: str = ADMIN, body: object = None) -> bytes:
        """Status, headers and body of an answer, whatever it is."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            answer: Any = urllib.request.urlopen(request, timeout=30)  # noqa: S310  # loopback
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return f"{answer.status} {answer.headers}".encode() + bytes(answer.read())

    def ask(self, path: str, body: object = None) -> bytes | None:
        """As of Serve, with this administrator's token."""
        try:
            head, _, content = self.send("GET" if body is None else "POST", f"/api/v1/{path}", body=body).partition(
                b"\n\n"
            )
        except OSError:
            return None
        return content if head.startswith(b"200") else None

    @property
    def ray_logs(self) -> Path:
        """Where Ray writes what the processes of this run say."""
        assert self._process is not None
        (found,) = Path("/tmp/ray").glob(f"session_*_{self._process.pid}")  # noqa: S108  # Ray's choice
        return found / "logs"


@pytest.fixture
def exchange() -> Iterator[ExchangeThread]:
    with ExchangeThread(operators=3, emails=10, username=USERNAME, password=EXCHANGE) as exchange:
        yield exchange


@pytest.fixture
def postbox(tmp_path: Path) -> Iterator[SmtpServer]:
    server, thread = SmtpServer(tls=self_signed(tmp_path).context, password=SMTP), LoopThread("smtp")
    thread.run(server.start())
    yield server
    thread.run(server.stop())
    thread.stop()


@pytest.fixture
def serve(tmp_path: Path, exchange: ExchangeThread, postbox: SmtpServer) -> Iterator[Guarded]:
    serve = Guarded(tmp_path, exchange.exchange.url, USERNAME, EXCHANGE)
    serve.configure(
        [person.email for person in exchange.exchange.operators],
        email_sync='notify_failures_to = "ann@example.com"',
        smtp=f'host = "127.0.0.1"\nport = {postbox.port}\nfrom = "{USERNAME}"\n'
        f'starttls = true\nverify_tls = false\nusername = "{USERNAME}"',
    )
    yield serve
    serve.kill()


def test_none_of_them_is_anywhere(serve: Guarded, exchange: ExchangeThread, postbox: SmtpServer) -> None:
    people = [person.email for person in exchange.exchange.operators]
    for email in people:
        for sensitivity in ("Private", "Confidential"):
            _deliver_private(exchange, email, sensitivity)
    serve.start()
    eventually(serve.synced, 90, "all are synced")
    _deliver_private(exchange, people[0], "Private")
    kept = "SELECT sum(emails) AS n FROM kept_out HAVING n >= 7"
    eventually(lambda: serve.rows(kept), 60, "private mail was kept out")
    subscribed = "SELECT * FROM subscriptions WHERE status = 'active'"
    eventually(lambda: len(serve.rows(subscribed)) == 3, 60, "all are subscribed")
    logs = serve.ray_logs
    tokens = [_give_out(serve, role) for role in Role]
    answers = _ask_everything(serve, tokens)

    exchange.accept_only("another")
    serve.send("POST", "/api/v1/jobs/EmailSync/run", body={})
    eventually(lambda: postbox.received, 150, "the alert is sent")
    assert postbox.received[0].login == USERNAME
    answers += _ask_everything(serve, tokens)
    serve.stop()

    files = [serve.path, *serve.path.parent.glob("*.wal"), *(one for one in logs.rglob("*") if one.is_file())]
    places = {str(one): one.read_bytes() for one in [*files, serve.path.parent / "serve.log"]}
    places |= _tables(serve.path)
    places |= {f"answer {number}": answer for number, answer in enumerate(answers)}
    places |= {f"mail {number}": one.content for number, one in enumerate(postbox.received)}
    for told, within in ((b"the viewer", "_mailroom.audit"), (b"AUTH_FAILED", "serve.log"), (b"AUTH_FAILED", "mail 0")):
        assert any(name.endswith(within) and told in content for name, content in places.items()), "it is looked into"
    looked_for = {one.encode() for one in (SUBJECT, BODY)}
    looked_for |= {form for secret in (EXCHANGE, SMTP, ADMIN, KEY, *tokens) for form in _forms(secret)}
    assert [(name, form) for name, content in places.items() for form in looked_for if form in content] == []
    # It has to know the URLs it gave Exchange, and the query that asked for everything did not get them.
    stored = {str(serve.path), f"{serve.path}.wal", "_mailroom.subscriptions"}
    assert [name for name, content in places.items() if name not in stored and _CALLBACK.search(content)] == []


def _deliver_private(exchange: ExchangeThread, email: str, sensitivity: str) -> None:
    text = " ".join(f"{BODY} {number}" for number in range(300))
    said = {"subject": f"{SUBJECT} {sensitivity}", "body_text": text, "sensitivity": sensitivity}
    exchange.do(lambda it: it.deliver(email, **said))


def _tables(path: Path) -> dict[str, bytes]:
    """All that is in the file, as text: its blocks are compressed."""
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables()").fetchall()
        return {name: repr(connection.execute(f"SELECT * FROM {name}").fetchall()).encode() for (name,) in names}  # noqa: S608


def _give_out(serve: Guarded, role: Role) -> str:
    answer = serve.send("POST", "/api/v1/tokens", body={"name": f"the {role}", "role": role})
    return str(json.loads(answer.partition(b"\n\n")[2])["token"])


def _ask_everything(serve: Guarded, tokens: list[str]) -> list[bytes]:
    """Every address, as every role, with what is right and what is wrong."""
    answers = [serve.send("GET", "/api/v1/status", wrong) for wrong in ("x", f"{ADMIN}x", tokens[0][:-1])]
    for token in (ADMIN, *tokens):
        for route in ROUTES:
            path = re.sub(r"\{\w+\}", "nothing", route.path.replace("{name}", "EmailSync"))
            # What takes a body gets one that is wrong, so that nothing is changed and all that can be said is.
            body = None if route.method == "GET" else {"sql": 1, "password": EXCHANGE, "name": token}
            answers.append(serve.send(route.method, path, token, body))
        answers += [serve.send("POST", "/api/v1/query", token, {"sql": sql}) for sql in QUERIES]
    return answers


def _forms(secret: str) -> set[bytes]:
    """A secret as it may be written."""
    plain = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    signed = (f"{USERNAME}:{secret}", f"\0{USERNAME}\0{secret}", secret, f"Bearer {secret}")
    encoded = {base64.b64encode(one.encode()).decode() for one in signed}
    # Without what stands at the end: there base64 depends on what follows.
    return {one.encode() for one in plain} | {one.rstrip("=")[:-2].encode() for one in encoded}
