import pickle

import pyarrow as pa
import pytest

from actors.wire import pack, pack_changes, pack_operators, unpack, unpack_changes, unpack_operators
from engine.columns import FETCHED_ATTACHMENTS, FETCHED_EMAILS, NO_ATTACHMENTS, NO_EMAILS
from engine.model import Folder, FolderId, Landing, Operator, OperatorId
from engine.operators import OperatorChange

FOLDER = Folder(FolderId("f"), "inbox")
EMAILS = pa.RecordBatch.from_pylist(
    [
        {"item_id": "a", "subject": "Grüße 🌍", "to_recipients": [{"name": None, "address": "x@y"}], "categories": []},
        {"item_id": "b", "body_html": "<p/>", "is_read": True, "size": 7},
    ],
    schema=FETCHED_EMAILS,
)
ATTACHMENTS = pa.RecordBatch.from_pylist([{"item_id": "a", "name": "x.pdf"}], schema=FETCHED_ATTACHMENTS)


def landing(emails: pa.RecordBatch | None, attachments: pa.RecordBatch | None) -> Landing:
    return Landing(OperatorId("o"), 3, folder=FOLDER, emails=emails, attachments=attachments, finished_pages=("p",))


@pytest.mark.parametrize(
    "given",
    [
        landing(EMAILS, ATTACHMENTS),
        landing(EMAILS.slice(1), NO_ATTACHMENTS),
        landing(NO_EMAILS, NO_ATTACHMENTS),
        landing(EMAILS, None),
        landing(None, None),
    ],
)
@pytest.mark.parametrize("out_of_band", [False, True])
def test_a_landing_arrives_as_it_left(given: Landing, out_of_band: bool) -> None:
    kept: list[pickle.PickleBuffer] = []
    sent = pickle.dumps(pack([given, given]), 5, buffer_callback=kept.append if out_of_band else None)
    # As Ray does: the receiving side gets buffers it must not write to
    buffers = [memoryview(one.raw().tobytes()) for one in kept]
    assert unpack(pickle.loads(sent, buffers=buffers)) == [given, given]  # noqa: S301


def test_emails_travel_out_of_band() -> None:
    kept: list[pickle.PickleBuffer] = []
    inside = pickle.dumps(pack([landing(EMAILS, ATTACHMENTS)]), 5, buffer_callback=kept.append)
    assert len(kept) == 2
    assert b"x.pdf" not in inside


def test_other_columns_travel_as_they_are_and_are_refused_where_they_arrive() -> None:
    odd = landing(pa.RecordBatch.from_pylist([{"item_id": "a"}]), ATTACHMENTS)
    assert unpack(pickle.loads(pickle.dumps(pack([odd])))) == [odd]  # noqa: S301


def test_operators_and_their_changes_arrive_as_they_left() -> None:
    ann, other = (
        Operator(OperatorId("ann"), "ann@example.com", "Ann", email_sync=False),
        Operator(OperatorId("b"), "b@x"),
    )
    changes = [OperatorChange(None, ann), OperatorChange(other, other, again=True), OperatorChange(ann, other)]
    assert unpack_operators(pickle.loads(pickle.dumps(pack_operators([ann, other])))) == [ann, other]  # noqa: S301
    assert unpack_changes(pickle.loads(pickle.dumps(pack_changes(changes)))) == changes  # noqa: S301
