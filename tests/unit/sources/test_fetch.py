from datetime import UTC, datetime

import pytest

from engine.columns import FETCHED_ATTACHMENTS, FETCHED_EMAILS
from engine.errors import (
    ResponseUnreadable,
)
from engine.model import FetchedItems, ItemId
from engine.sources.ews.source import EwsSource
from tests.unit.sources.conftest import INBOX, MAILBOX, Responder
from tests.unit.sources.soap import answer, folder, item, items, refusal, soap_fault

FULL = """
<t:ParentFolderId Id="inbox-id" ChangeKey="x"/><t:ItemClass>IPM.Note</t:ItemClass><t:Subject>Hi &amp; bye</t:Subject>
<t:Sensitivity>Private</t:Sensitivity><t:Body BodyType="HTML">&lt;p&gt;Hello&lt;/p&gt;</t:Body>
<t:Attachments><t:FileAttachment><t:AttachmentId Id="a1"/><t:Name>x.pdf</t:Name>
<t:ContentType>application/pdf</t:ContentType><t:ContentId>c1</t:ContentId><t:Size>12</t:Size>
<t:LastModifiedTime>2026-11-01T08:00:00Z</t:LastModifiedTime><t:IsInline>true</t:IsInline></t:FileAttachment>
<t:ItemAttachment><t:AttachmentId Id="a2"/><t:Name>Fwd</t:Name></t:ItemAttachment></t:Attachments>
<t:DateTimeReceived>2026-11-01T08:00:01Z</t:DateTimeReceived><t:Size>3600</t:Size>
<t:Categories><t:String>Red</t:String><t:String>Blue</t:String></t:Categories><t:Importance>High</t:Importance>
<t:InReplyTo>&lt;0@x&gt;</t:InReplyTo><t:DateTimeSent>2026-11-01T08:00:00Z</t:DateTimeSent>
<t:HasAttachments>true</t:HasAttachments><t:LastModifiedTime>2026-11-01T09:00:00.25Z</t:LastModifiedTime>
<t:ConversationId Id="conv"/>
<t:Sender><t:Mailbox><t:Name>Desk</t:Name><t:EmailAddress>desk@x</t:EmailAddress></t:Mailbox></t:Sender>
<t:ToRecipients><t:Mailbox><t:Name>Ann</t:Name><t:EmailAddress>ann@x</t:EmailAddress>
<t:RoutingType>SMTP</t:RoutingType></t:Mailbox>
<t:Mailbox><t:Name>Old</t:Name><t:EmailAddress>/O=X/OU=Y/CN=OLD</t:EmailAddress><t:RoutingType>EX</t:RoutingType>
</t:Mailbox></t:ToRecipients>
<t:From><t:Mailbox><t:Name>Boss</t:Name><t:EmailAddress>boss@x</t:EmailAddress></t:Mailbox></t:From>
<t:InternetMessageId>&lt;1@x&gt;</t:InternetMessageId><t:References>&lt;0@x&gt; &lt;1@x&gt;</t:References>
<t:IsRead>true</t:IsRead><t:TextBody BodyType="Text">Hello</t:TextBody>
"""


async def fetch(source: EwsSource, *item_ids: str) -> FetchedItems:
    return await source.fetch_items(MAILBOX, INBOX, [ItemId(item_id) for item_id in item_ids])


def ids_of(found: FetchedItems) -> list[str]:
    ids: list[str] = found.emails.column("item_id").to_pylist()
    return ids


async def test_every_column_is_filled(source: EwsSource, responder: Responder) -> None:
    responder.reply(items(item("1", FULL)))
    found = await fetch(source, "1")
    assert (found.emails.schema, found.attachments.schema) == (FETCHED_EMAILS, FETCHED_ATTACHMENTS)
    (row,) = found.emails.to_pylist()
    assert row == {
        "item_id": "1",
        "change_key": "ck",
        "item_class": "IPM.Note",
        "subject": "Hi & bye",
        "sender_name": "Boss",
        "sender_address": "boss@x",
        "to_recipients": [{"name": "Ann", "address": "ann@x"}, {"name": "Old", "address": "/O=X/OU=Y/CN=OLD"}],
        "cc_recipients": [],
        "bcc_recipients": [],
        "sent_at": datetime(2026, 11, 1, 8, tzinfo=UTC),
        "received_at": datetime(2026, 11, 1, 8, 0, 1, tzinfo=UTC),
        "modified_at": datetime(2026, 11, 1, 9, 0, 0, 250_000, tzinfo=UTC),
        "message_id": "<1@x>",
        "conversation_id": "conv",
        "in_reply_to": "<0@x>",
        "references": "<0@x> <1@x>",
        "body_text": "Hello",
        "body_html": "<p>Hello</p>",
        "is_read": True,
        "importance": "High",
        "sensitivity": "Private",
        "has_attachments": True,
        "size": 3600,
        "categories": ["Red", "Blue"],
    }
    assert found.attachments.to_pylist() == [
        {
            "item_id": "1",
            "attachment_id": "a1",
            "name": "x.pdf",
            "content_type": "application/pdf",
            "content_id": "c1",
            "size": 12,
            "is_inline": True,
            "is_item": False,
        },
        {
            "item_id": "1",
            "attachment_id": "a2",
            "name": "Fwd",
            "content_type": None,
            "content_id": None,
            "size": None,
            "is_inline": None,
            "is_item": True,
        },
    ]


@pytest.mark.parametrize(
    "kind", ["Message", "MeetingRequest", "Contact", "Task", "PostItem", "DistributionList", "New"]
)
async def test_an_item_of_any_type_with_nothing_in_it_is_a_row(
    source: EwsSource, responder: Responder, kind: str
) -> None:
    responder.reply(items(item("1", kind=kind)))
    (row,) = (await fetch(source, "1")).emails.to_pylist()
    empty = {"to_recipients", "cc_recipients", "bcc_recipients", "categories"}
    assert {name for name, value in row.items() if value == []} == empty
    assert {name for name, value in row.items() if value not in (None, [])} == {"item_id", "change_key"}


async def test_a_plain_text_message_has_no_html(source: EwsSource, responder: Responder) -> None:
    responder.reply(items(item("1", '<t:Body BodyType="Text">Plain</t:Body>')))
    (row,) = (await fetch(source, "1")).emails.to_pylist()
    assert (row["body_text"], row["body_html"]) == ("Plain", None)


async def test_exchange_2010_gets_its_text_made_from_the_html(source_2010: EwsSource, responder: Responder) -> None:
    responder.reply(items(item("1", '<t:Body BodyType="HTML">&lt;p&gt;Hello&lt;/p&gt;</t:Body>')))
    (row,) = (await fetch(source_2010, "1")).emails.to_pylist()
    assert (row["body_text"], row["body_html"]) == ("Hello", "<p>Hello</p>")
    assert b"TextBody" not in responder.requests[0].body
    assert b'Version="Exchange2010_SP2"' in responder.requests[0].body


async def test_every_id_is_answered_once_in_its_group(source: EwsSource, responder: Responder) -> None:
    responder.reply(
        items(
            item("1"),
            refusal("GetItem", "ErrorItemNotFound"),
            item("3", '<t:ParentFolderId Id="elsewhere"/>'),
            refusal("GetItem", "ErrorContentConversionFailed", "Broken."),
            refusal("GetItem", "ErrorInvalidIdMalformed"),
            refusal("GetItem", "ErrorNobodyKnows", "What?"),
            item("7", '<t:ParentFolderId Id="inbox-id"/>'),
        )
    )
    found = await fetch(source, *"1234567", "1")
    assert ids_of(found) == ["1", "7"]
    assert sorted(found.missing) == ["2", "3", "5"]
    assert [(one.item_id, one.code, one.reason) for one in found.unreadable] == [
        ("4", "ErrorContentConversionFailed", "Broken."),
        ("6", "ErrorNobodyKnows", "What?"),
    ]
    assert len(responder.requests[0].root.findall(".//{*}ItemId")) == 7


async def test_items_in_odd_order_are_matched_by_their_id(source: EwsSource, responder: Responder) -> None:
    responder.reply(items(item("3"), refusal("GetItem", "ErrorItemNotFound"), item("1"), item("3")))
    found = await fetch(source, "1", "2", "3")
    assert (ids_of(found), found.missing) == (["1", "3"], ("2",))


async def test_refusals_that_agree_need_no_order(source: EwsSource, responder: Responder) -> None:
    missing = refusal("GetItem", "ErrorItemNotFound")
    responder.reply(items(missing, missing, item("1")))
    found = await fetch(source, "1", "2", "3")
    assert (ids_of(found), sorted(found.missing)) == (["1"], ["2", "3"])


@pytest.mark.parametrize(
    "answers",
    [
        [item("1")],
        [item("1"), item("1")],
        [item("1"), item("9")],
        [item("2"), refusal("GetItem", "ErrorItemNotFound"), refusal("GetItem", "ErrorCorruptData")],
        [],
    ],
)
async def test_an_id_without_an_answer_makes_the_answer_unreadable(
    source: EwsSource, responder: Responder, answers: list[str]
) -> None:
    responder.reply(items(*answers))
    with pytest.raises(ResponseUnreadable):
        await fetch(source, "1", "2")


async def test_an_item_without_message_properties_is_asked_for_without_them(
    source: EwsSource, responder: Responder
) -> None:
    responder.reply(items(item("1"), refusal("GetItem", "ErrorInvalidPropertyRequest")))
    responder.reply(items(item("2", "<t:Subject>Task</t:Subject>", kind="Task")))
    found = await fetch(source, "1", "2")
    assert found.emails.column("subject").to_pylist() == [None, "Task"]
    assert b"message:From" not in responder.requests[1].body
    assert b"item:Subject" in responder.requests[1].body


async def test_a_fault_about_one_item_is_about_that_item(source: EwsSource, responder: Responder) -> None:
    responder.reply(soap_fault("ErrorItemNotFound"), status=500)
    assert (await fetch(source, "1")).missing == ("1",)
    with pytest.raises(ResponseUnreadable):
        await fetch(source, "1", "2")
    responder.replies.clear()
    responder.reply(soap_fault("ErrorCorruptData"), status=500)
    assert [one.code for one in (await fetch(source, "1")).unreadable] == ["ErrorCorruptData"]


async def test_forbidden_characters_do_no_harm(source: EwsSource, responder: Responder) -> None:
    responder.reply(items(item("1", "<t:Subject>a&#x0B;b&#xD800;</t:Subject><t:References>\x01c</t:References>")))
    (row,) = (await fetch(source, "1")).emails.to_pylist()
    assert (row["subject"], row["references"]) == ("a\nb\ufffd", "c")


async def test_the_same_folder_written_otherwise_is_the_same(source: EwsSource, responder: Responder) -> None:
    inbox = INBOX.__class__(INBOX.folder_id.__class__("AQMkAGEAAANiAAAA"), "inbox")
    responder.reply(items(item("1", '<t:ParentFolderId Id="AAMkAGEAAAAAAGIAAA=="/>')))
    found = await source.fetch_items(MAILBOX, inbox, [ItemId("1")])
    assert (ids_of(found), found.missing) == (["1"], ())


@pytest.mark.parametrize(("own", "here"), [("inbox-id", True), ("archive-id", False)])
async def test_a_strange_parent_folder_is_asked_about(
    source: EwsSource, responder: Responder, own: str, here: bool
) -> None:
    """An item taken for moved that has not moved would be lost."""
    responder.replies.clear()
    responder.reply(
        items(item("1", '<t:ParentFolderId Id="otherwise"/>'), item("2", '<t:ParentFolderId Id="otherwise"/>'))
    )
    responder.reply(answer("GetFolder", folder(own)))
    found = await fetch(source, "1", "2")
    assert (ids_of(found), found.missing) == ((["1", "2"], ()) if here else ([], ("1", "2")))


async def test_nothing_asked_is_nothing_fetched(source: EwsSource, responder: Responder) -> None:
    found = await fetch(source)
    assert (found.emails.num_rows, found.missing, found.unreadable, responder.requests) == (0, (), (), [])
