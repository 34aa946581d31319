"""Erasing on a real file: not a byte is left, whoever dies when; and what happens with another key, or no room."""

import errno
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine import errors
from engine.listing import Listing, View
from engine.model import FolderRecord, ItemId, Operator, QuarantinedItem, SyncToken
from engine.privacy.erasure import ErasureRequest, LiftRequest
from engine.store import DuckDBStore, StoreOptions, rewriting
from tests.fakes.store_emails import attachments, emails
from tests.fakes.store_erasures import KEY
from tests.fakes.store_inspect import all_attachments, all_rows, current_rows
from tests.fakes.store_words import ANN, BOB, INBOX, START, Lander, Time, activate, ids, page

ZOE = "zoe@example.org"
ZSTD = b"\x28\xb5\x2f\xfd"
OPTIONS = StoreOptions(suppression_key=KEY, checkpoint_at="1KB")
ERASE = ErasureRequest("e1", ZOE, "tester")


@pytest.fixture
async def store(path: Path, time: Time) -> DuckDBStore:
    store = await DuckDBStore.open(path, time, OPTIONS)
    await store.put_operators([Operator(ANN, "ann@example.com", "Ann"), Operator(BOB, "bob@example.com")])
    return store


def mail(*who: str) -> pa.RecordBatch:
    """An email from each, with words of its own in every column that holds texts."""
    return emails(
        *(
            {
                "item_id": f"i{number}",
                "sender_address": one,
                "sender_name": f"NAME{number}ZEBRA",
                "subject": f"SUBJECT{number}ZEBRA",
                "body_text": f"BODY{number}ZEBRA " + "word " * 300,
                "body_html": f"<p>HTML{number}ZEBRA</p>" + "tag " * 300,
                "message_id": f"<m{number}@example.org>",
            }
            for number, one in enumerate(who)
        )
    )


def words_in(path: Path) -> set[str]:
    """The distinctive words that stand anywhere in the files, in the open or inside a zstd frame."""
    found: set[str] = set()
    for file in path.parent.glob(f"{path.name}*"):
        if file.is_file():
            for text in (file.read_bytes(), *_unpacked(file.read_bytes())):
                found |= {one.decode() for one in re.findall(rb"(?:NAME|SUBJECT|BODY|HTML)\d+ZEBRA", text)}
    return found


def _unpacked(data: bytes) -> Iterator[bytes]:
    for match in re.finditer(re.escape(ZSTD), data):
        with pa.CompressedInputStream(pa.BufferReader(data[match.start() :]), "zstd") as stream:
            text = b""
            try:
                while piece := stream.read(1000):
                    text += piece
            except OSError:
                pass  # what follows the frame is no zstd
            yield text


async def test_not_a_byte_is_left(store: DuckDBStore, path: Path) -> None:
    land = Lander(store, await activate(store))
    await land(folder=INBOX, emails=mail(*[ZOE if n % 3 == 0 else "bob@example.org" for n in range(30)]))
    store._database.writer.execute("CHECKPOINT")
    everything = {f"{kind}{n}ZEBRA" for kind in ("NAME", "SUBJECT", "BODY", "HTML") for n in range(30)}
    assert words_in(path) == everything, "the search sees what is there"
    receipt = await store.erase(ERASE)
    assert (receipt.emails, receipt.rewrite_problem) == (10, None)
    theirs = {f"{kind}{n}ZEBRA" for kind in ("NAME", "SUBJECT", "BODY", "HTML") for n in range(0, 30, 3)}
    assert words_in(path) == everything - theirs
    await store.close()
    assert words_in(path) == everything - theirs


async def test_tombstones_and_replaced_versions_go_too(store: DuckDBStore, path: Path) -> None:
    land = Lander(store, await activate(store))
    await land(folder=INBOX, emails=mail(ZOE, ZOE, "bob@example.org"))
    await land(folder=INBOX, deleted=ids("i0"))
    again = mail("bob@example.org", ZOE, "bob@example.org").slice(1, 1).to_pylist()[0]
    await land(folder=INBOX, emails=emails({**again, "change_key": "2", "subject": "SUBJECT99ZEBRA"}))
    store._database.writer.execute("CHECKPOINT")
    receipt = await store.erase(ERASE)
    assert [(one.emails, one.deleted_emails) for one in receipt.mailboxes] == [(1, 1)]
    assert {word[-6] for word in words_in(path)} == {"2"}
    await store.close()


async def test_everything_else_stays_as_it_was(store: DuckDBStore, time: Time, path: Path) -> None:
    land = Lander(store, await activate(store))
    record = FolderRecord(INBOX.folder_id, "inbox", SyncToken("t"), drained=True)
    reason = f"Mail of Zoe@Example.org, zoe+x@example.org, not of a{ZOE}, cannot be read"
    await land(
        folder=INBOX,
        emails=mail(ZOE, "bob@example.org"),
        attachments=attachments({"item_id": "i0", "attachment_id": "a"}, {"item_id": "i1", "attachment_id": "b"}),
        folder_record=record,
        queued=(page("p", "i7"),),
        quarantined=(QuarantinedItem(INBOX.folder_id, ItemId("i9"), "C", reason, 1, START),),
    )
    before = all_rows(store, ANN)[ItemId("i1")]
    tables = _tables(store)
    receipt = await store.erase(ERASE)
    assert (receipt.words, receipt.mailboxes[0].attachments) == (1, 1)
    assert all_rows(store, ANN) == {ItemId("i1"): before}
    assert all_attachments(store, ANN) == {ItemId("i1"): ["b"]}
    activation = await activate(store)
    assert (activation.folders, activation.landed) == ((record,), {INBOX.folder_id: 1})
    assert [one.item_ids for one in activation.pending] == [("i7",)]
    assert [one.reason for one in activation.quarantined] == [
        f"Mail of (erased), (erased), not of a{ZOE}, cannot be read"
    ]
    assert (await store.status()).emails == 1
    assert _tables(store) == tables, "columns, compression and all"
    await store.close()
    again = await DuckDBStore.open(path, time, OPTIONS)
    assert all_rows(again, ANN) == {ItemId("i1"): before}
    await again.close()


def _tables(store: DuckDBStore) -> list[Any]:
    return store._database.writer.execute(
        "SELECT schema_name, table_name, sql FROM duckdb_tables() WHERE NOT temporary UNION ALL "
        "SELECT schema_name, view_name, sql FROM duckdb_views() WHERE NOT internal ORDER BY ALL"
    ).fetchall()


class Died(BaseException):
    """The process is killed at this point."""


@pytest.mark.parametrize("where", ["check_room", "_copy", "_flush", "renamed"])
async def test_whoever_dies_when_the_file_is_whole_and_is_rewritten_at_the_next_start(
    store: DuckDBStore, path: Path, time: Time, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    land = Lander(store, await activate(store))
    await land(folder=INBOX, emails=mail(ZOE, "bob@example.org"))
    saved = _as_killed_at(where, path, monkeypatch)
    await store.erase(ERASE)
    await store.close()
    monkeypatch.undo()
    for name, content in saved.items():
        (path.parent / name).write_bytes(content)
    for name in {one.name for one in path.parent.glob(f"{path.name}*") if one.is_file()} - saved.keys():
        (path.parent / name).unlink()
    again = await DuckDBStore.open(path, time, OPTIONS)
    assert all_rows(again, ANN).keys() == {"i1"}
    assert {word[-6] for word in words_in(path)} == {"1"}
    assert not rewriting.leftover(path).exists()
    table, _ = await again.query("SELECT count(*) AS n FROM emails")
    assert table.to_pylist() == [{"n": 1}]
    await again.close()


def _as_killed_at(where: str, path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The files as they are when the rewriting comes to a point."""
    saved: dict[str, bytes] = {}
    name = "_flush" if where == "renamed" else where
    real = getattr(rewriting, name)

    def noting(*given: Any) -> Any:
        at = given[0] == path.parent if where == "renamed" else not saved
        result = real(*given) if where == "_copy" else None
        if at:
            files = [one for one in path.parent.glob(f"{path.name}*") if one.is_file()]
            saved.update({one.name: one.read_bytes() for one in files})
        return result if where == "_copy" else real(*given)

    monkeypatch.setattr(rewriting, name, noting)
    monkeypatch.setattr("engine.store.connection.check_room", rewriting.check_room)
    return saved


async def test_without_room_the_receipt_says_so_and_the_mail_is_gone_all_the_same(
    store: DuckDBStore, path: Path, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    land = Lander(store, await activate(store))
    await land(folder=INBOX, emails=mail(ZOE, "bob@example.org"))
    monkeypatch.setattr("shutil.disk_usage", lambda _: _Usage())
    receipt = await store.erase(ERASE)
    assert receipt.rewritten_at is None
    assert "bytes of disk" in str(receipt.rewrite_problem)
    assert all_rows(store, ANN).keys() == {"i1"}
    monkeypatch.undo()
    await store.close()
    again = await DuckDBStore.open(path, time, OPTIONS)
    assert {word[-6] for word in words_in(path)} == {"1"}, "the next start has done it"
    await again.close()


class _Usage:
    free = 10


async def test_a_failing_disk_leaves_the_store_working(store: DuckDBStore, monkeypatch: pytest.MonkeyPatch) -> None:
    land = Lander(store, await activate(store))
    await land(folder=INBOX, emails=mail(ZOE, "bob@example.org"))

    def fail(*_: Any) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(rewriting, "_flush", fail)
    receipt = await store.erase(ERASE)
    assert "Input/output error" in str(receipt.rewrite_problem)
    monkeypatch.undo()
    land = Lander(store, await activate(store))
    assert (await land(folder=INBOX, emails=mail("x@y.zz", "bob@example.org"))).inserted == 1
    second = await store.erase(ErasureRequest("e2", "nobody@example.org", "tester"))
    assert second.rewritten_at is not None
    assert second.emails == 0
    await store.close()


async def test_with_another_key_the_store_does_not_open(store: DuckDBStore, path: Path, time: Time) -> None:
    await store.erase(ERASE)
    await store.close()
    for key in (b"", b"another"):
        with pytest.raises(errors.SettingsError, match="MAILROOM_KEY"):
            await DuckDBStore.open(path, time, StoreOptions(suppression_key=key))
    again = await DuckDBStore.open(path, time, OPTIONS)
    await again.lift_erasure(LiftRequest("e1", "tester"))
    await again.close()
    other = await DuckDBStore.open(path, time, StoreOptions(suppression_key=b"another"))
    await other.close()


async def test_without_a_key_nobody_is_erased(path: Path, time: Time) -> None:
    store = await DuckDBStore.open(path, time)
    with pytest.raises(errors.ErasureRefused, match="MAILROOM_KEY"):
        await store.erase(ERASE)
    await store.close()


async def test_the_file_does_not_hold_the_address(store: DuckDBStore, path: Path) -> None:
    await store.erase(ERASE)
    await store.close()
    assert ZOE.encode() not in path.read_bytes()  # noqa: ASYNC240


async def test_an_operators_own_address(store: DuckDBStore) -> None:
    ann, bob = (Lander(store, one) for one in await store.activate([ANN, BOB]))
    await ann(folder=INBOX, emails=emails({"item_id": "1"}, {"item_id": "2", "sender_address": "ANN@example.com"}))
    await bob(folder=INBOX, emails=emails({"item_id": "1", "sender_address": "ann@example.com"}, {"item_id": "2"}))
    own = ErasureRequest("e", "Ann@Example.com", "tester")
    with pytest.raises(errors.ErasureRefused, match="--including-operator"):
        await store.erase(own)
    receipt = await store.erase(ErasureRequest("e", "Ann@Example.com", "tester", including_operator=True))
    assert (receipt.operators, receipt.emails) == ((ANN,), 3)
    assert any("own record" in sentence for sentence in receipt.remains)
    assert [list(current_rows(store, one)) for one in (ANN, BOB)] == [[], ["2"]]
    assert [(one.operator_id, one.email_sync) for one in await store.operators()] == [(ANN, False), (BOB, True)]
    with pytest.raises(errors.StaleEpoch):
        await ann(folder=INBOX, emails=emails({"item_id": "9"}))
    await store.close()


@pytest.mark.parametrize(
    "address", ["º¨=Ą@r.ÿ", "a\\b@x.org", "a.*b+c@x.org", "[a]{2}@x.org", "日本@例え.jp", "a'b$1@x.org"]
)
async def test_addresses_of_any_kind(store: DuckDBStore, address: str) -> None:
    receipt = await store.erase(ErasureRequest("e9", address, "tester"))
    assert receipt.emails == 0


async def test_lifting_with_relisting_lists_every_folder_anew(store: DuckDBStore) -> None:
    land = Lander(store, await activate(store))
    record = FolderRecord(INBOX.folder_id, "inbox", SyncToken("t"), drained=True)
    await land(folder=INBOX, emails=mail(ZOE), folder_record=record)
    await store.erase(ERASE)
    await store.lift_erasure(LiftRequest("e1", "tester", relist=True))
    activation = await activate(store)
    assert [(one.token, one.reconciling) for one in activation.folders] == [(None, True)]
    land.epoch = activation.epoch
    assert (await land(folder=INBOX, queued=(page("p", "i0"),), listed={"i0": "i0-1"})).queued
    assert (await land(folder=INBOX, emails=mail(ZOE))).inserted == 1
    await store.close()


async def test_many_are_erased_with_one_rewriting(store: DuckDBStore, path: Path) -> None:
    land = Lander(store, await activate(store))
    await land(folder=INBOX, emails=mail(ZOE, "yan@example.org", "bob@example.org"))
    store._database.writer.execute("CHECKPOINT")
    first = await store.erase(ErasureRequest("e1", ZOE, "tester", later=True))
    assert (first.rewritten_at, first.rewrite_problem) == (None, None)
    assert all_rows(store, ANN).keys() == {"i1", "i2"}
    assert {word[-6] for word in words_in(path)} == {"0", "1", "2"}, "its bytes are still there"
    await store.erase(ErasureRequest("e2", "yan@example.org", "tester"))
    assert {word[-6] for word in words_in(path)} == {"2"}
    page_of_them = await store.page(Listing(View.ERASURES))
    assert all(one["rewritten_at"] is not None for one in page_of_them.items)
    await store.close()
