import base64

import pytest

from tests.unit.simulator.ews import FULL, ONE, TWO, Client, serving

INBOX = '<t:DistinguishedFolderId Id="inbox"/>'
TO_TWO = f"<t:ToRecipients><t:Mailbox><t:EmailAddress>{TWO}</t:EmailAddress></t:Mailbox></t:ToRecipients>"


async def create(client: Client, message: str, disposition: str) -> list[str]:
    answer = await client.call(
        f'<m:CreateItem MessageDisposition="{disposition}"><m:Items>'
        f"<t:Message>{message}</t:Message></m:Items></m:CreateItem>"
    )
    assert answer.codes == ["NoError"], answer.content
    return answer.ids


async def test_mail_is_saved_sent_and_arrives() -> None:
    message = f'<t:Subject>Offer &amp; more</t:Subject><t:Body BodyType="HTML">&lt;p&gt;Hi&lt;/p&gt;</t:Body>{TO_TWO}'
    async with serving(emails=0) as client:
        exchange = client.exchange
        (draft,) = await create(client, message, "SaveOnly")
        assert [i.subject for i in exchange.items(ONE, "drafts")] == ["Offer & more"]
        key = exchange.item(ONE, draft).change_key
        one = f'<m:ItemIds><t:ItemId Id="{draft}" ChangeKey="{{}}"/></m:ItemIds>'
        send = f'<m:SendItem SaveItemToFolder="true">{one}</m:SendItem>'
        assert (await client.call(send.format("old"))).codes == ["ErrorStaleObject"]
        assert (await client.call(send.format(key))).codes == ["NoError"]
        assert exchange.items(ONE, "drafts") == []
        (sent,) = exchange.items(ONE, "sentitems")
        (arrived,) = exchange.items(TWO, "inbox")
        assert (sent.is_read, arrived.is_read, arrived.body_html) == (True, False, "<p>Hi</p>")
        assert arrived.message_id == sent.message_id != ""
        assert await create(client, message, "SendOnly") == []
        assert await create(client, message, "SendAndSaveCopy") == []
        assert len(exchange.items(TWO, "inbox")) == 3
        assert len(exchange.items(ONE, "sentitems")) == 2
        reply = (
            f'<t:ReferenceItemId Id="{arrived.item_id}"/><t:NewBodyContent BodyType="Text">Thanks</t:NewBodyContent>'
        )
        answer = await client.call(
            f'<m:CreateItem MessageDisposition="SendAndSaveCopy"><m:Items>'
            f"<t:ReplyToItem>{reply}</t:ReplyToItem></m:Items>"
            "</m:CreateItem>",
            who=TWO,
        )
        assert answer.codes == ["NoError"]
        (back,) = exchange.items(ONE, "inbox")
        assert (back.subject, back.in_reply_to) == ("RE: Offer & more", arrived.message_id)


async def test_mail_from_mime_and_with_files() -> None:
    mime = base64.b64encode(b"From: x@y.example\r\nTo: a@b.example\r\nSubject: From MIME\r\n\r\nText").decode()
    file = "<t:FileAttachment><t:Name>a.txt</t:Name><t:Content>YWJj</t:Content></t:FileAttachment>"
    async with serving(emails=0) as client:
        await create(client, f"<t:MimeContent>{mime}</t:MimeContent>", "SaveOnly")
        (draft,) = await create(
            client, f"<t:Subject>Files</t:Subject><t:Attachments>{file}</t:Attachments>", "SaveOnly"
        )
        answer = await client.call(
            f'<m:CreateAttachment><m:ParentItemId Id="{draft}"/><m:Attachments>{file.replace("a.txt", "b.txt")}'
            "</m:Attachments></m:CreateAttachment>"
        )
        assert answer.one("t:AttachmentId").get("RootItemId") == draft
        subjects = {i.subject: i.attachments for i in client.exchange.items(ONE, "drafts")}
        assert subjects == {"From MIME": (), "Files": ("a.txt", "b.txt")}


@pytest.mark.parametrize(
    ("message", "disposition", "code"),
    [
        ("<t:Subject>x</t:Subject>", "SendOnly", "ErrorInvalidRecipients"),
        ("<t:DateTimeSent>2024-01-01T00:00:00Z</t:DateTimeSent>", "SaveOnly", "ErrorInvalidPropertySet"),
    ],
)
async def test_mail_that_cannot_be_created(message: str, disposition: str, code: str) -> None:
    async with serving() as client:
        body = f"<m:Items><t:Message>{message}</t:Message></m:Items></m:CreateItem>"
        assert (await client.call(f'<m:CreateItem MessageDisposition="{disposition}">{body}')).codes == [code]
        assert (await client.call(f"<m:CreateItem>{body}")).codes == ["ErrorMessageDispositionRequired"]


async def test_update_item_sets_deletes_and_resolves() -> None:
    async with serving() as client:
        exchange = client.exchange
        item = exchange.items(ONE, "inbox")[0]

        async def update(updates: str, key: str, resolution: str = "AutoResolve") -> list[str]:
            answer = await client.call(
                f'<m:UpdateItem ConflictResolution="{resolution}" MessageDisposition="SaveOnly"><m:ItemChanges>'
                f'<t:ItemChange><t:ItemId Id="{item.item_id}" ChangeKey="{key}"/><t:Updates>{updates}</t:Updates>'
                "</t:ItemChange></m:ItemChanges></m:UpdateItem>"
            )
            return answer.codes

        def put(uri: str, value: str) -> str:
            return f'<t:SetItemField><t:FieldURI FieldURI="{uri}"/><t:Message>{value}</t:Message></t:SetItemField>'

        updates = (
            put("item:Subject", "<t:Subject>New</t:Subject>")
            + put("item:Importance", "<t:Importance>High</t:Importance>")
            + put("item:Categories", "<t:Categories><t:String>A</t:String></t:Categories>")
        )
        assert await update(updates, item.change_key) == ["NoError"]
        changed = exchange.item(ONE, item.item_id)
        assert (changed.subject, changed.importance, changed.categories) == ("New", "High", ("A",))
        assert changed.change_key != item.change_key
        assert await update(updates, item.change_key, "NeverOverwrite") == ["ErrorIrresolvableConflict"]
        gone = '<t:DeleteItemField><t:FieldURI FieldURI="item:Categories"/></t:DeleteItemField>'
        assert await update(gone, changed.change_key) == ["NoError"]
        assert exchange.item(ONE, item.item_id).categories == ()
        read = put("message:IsRead", f"<t:IsRead>{str(not item.is_read).lower()}</t:IsRead>")
        assert await update(read, changed.change_key) == ["NoError"]
        assert exchange.item(ONE, item.item_id).is_read is not item.is_read
        assert await update(put("item:Size", "<t:Size>1</t:Size>"), changed.change_key) == ["ErrorInvalidPropertySet"]
        assert await update(read, "") == ["ErrorChangeKeyRequired"]


@pytest.mark.parametrize(
    ("kind", "folder"),
    [("HardDelete", None), ("SoftDelete", "recoverableitemsdeletions"), ("MoveToDeletedItems", "deleteditems")],
)
async def test_delete_item(kind: str, folder: str | None) -> None:
    async with serving() as client:
        item = client.exchange.items(ONE, "inbox")[0]
        body = (
            f'<m:DeleteItem DeleteType="{kind}"><m:ItemIds><t:ItemId Id="{item.item_id}"/></m:ItemIds></m:DeleteItem>'
        )
        assert (await client.call(body)).codes == ["NoError"]
        assert (await client.call(body)).codes == ["ErrorItemNotFound"]
        if folder:
            assert [i.message_id for i in client.exchange.items(ONE, folder)] == [item.message_id]


async def test_move_and_copy() -> None:
    body = (
        '<m:{0}><m:ToFolderId><t:DistinguishedFolderId Id="{1}"/></m:ToFolderId>'
        '<m:ItemIds><t:ItemId Id="{2}"/></m:ItemIds>'
        "</m:{0}>"
    )
    async with serving(emails=40) as client:
        exchange = client.exchange
        item = exchange.items(ONE, "inbox")[0]
        (copied,) = (await client.call(body.format("CopyItem", "junkemail", item.item_id))).ids
        (moved,) = (await client.call(body.format("MoveItem", "junkemail", item.item_id))).ids
        assert {i.item_id for i in exchange.items(ONE, "junkemail")} == {copied, moved}
        assert (await client.call(body.format("MoveItem", "inbox", item.item_id))).codes == ["ErrorItemNotFound"]
        assert (await client.call(body.format("MoveItem", "voicemail", moved))).codes == ["ErrorToFolderNotFound"]


async def test_folders_come_are_renamed_and_go() -> None:
    async with serving() as client:
        made = (
            f"<m:CreateFolder><m:ParentFolderId>{INBOX}</m:ParentFolderId><m:Folders><t:Folder><t:DisplayName>New"
            "</t:DisplayName></t:Folder></m:Folders></m:CreateFolder>"
        )
        answer = await client.call(made)
        folder = answer.one("t:FolderId").get("Id")
        assert (await client.call(made)).codes == ["ErrorFolderExists"]
        rename = (
            f'<m:UpdateFolder><m:FolderChanges><t:FolderChange><t:FolderId Id="{folder}"/><t:Updates><t:SetFolderField>'
            '<t:FieldURI FieldURI="folder:DisplayName"/><t:Folder><t:DisplayName>Newer</t:DisplayName></t:Folder>'
            "</t:SetFolderField></t:Updates></t:FolderChange></m:FolderChanges></m:UpdateFolder>"
        )
        assert (await client.call(rename)).codes == ["NoError"]
        assert client.exchange.mailbox(ONE).folder("Inbox/Newer").folder_id == folder
        both = f'<m:FolderIds><t:FolderId Id="{folder}"/>{INBOX}</m:FolderIds>'
        delete = f'<m:DeleteFolder DeleteType="HardDelete">{both}</m:DeleteFolder>'
        assert (await client.call(delete)).codes == ["NoError", "ErrorDeleteDistinguishedFolder"]


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (TWO, "NoError"),
        ("operator", "ErrorNameResolutionMultipleResults"),
        ("nobody", "ErrorNameResolutionNoResults"),
        ("-", "ErrorInvalidNameForNameResolution"),
    ],
)
async def test_resolve_names(entry: str, code: str) -> None:
    async with serving() as client:
        answer = await client.call(
            f'<m:ResolveNames ReturnFullContactData="true">'
            f"<m:UnresolvedEntry>{entry}</m:UnresolvedEntry></m:ResolveNames>"
        )
        assert answer.codes == [code]


async def test_ids_convert_and_come_back() -> None:
    async with serving() as client:
        item = client.exchange.items(ONE)[0].item_id
        known = item
        for source, target in (
            ("EwsId", "HexEntryId"),
            ("HexEntryId", "EntryId"),
            ("EntryId", "OwaId"),
            ("OwaId", "EwsId"),
        ):
            answer = await client.call(
                f'<m:ConvertId DestinationFormat="{target}"><m:SourceIds><t:AlternateId Format="{source}" Id="{known}" '
                f'Mailbox="{ONE}"/></m:SourceIds></m:ConvertId>'
            )
            known = answer.one("m:AlternateId").get("Id", "")
        assert known == item
        bad = f'<m:SourceIds><t:AlternateId Format="EwsId" Id="DUMMY" Mailbox="{ONE}"/></m:SourceIds>'
        answer = await client.call(f'<m:ConvertId DestinationFormat="EntryId">{bad}</m:ConvertId>')
        assert answer.codes == ["ErrorInvalidIdMalformed"]


async def test_what_xml_cannot_carry_is_dropped_not_served() -> None:
    async with serving() as client:
        item = client.exchange.deliver(ONE, subject="a\x00b\x0b\ud800c\r\n", body_text="\x01x]]><&\uffff")
        answer = await client.get_items([item.item_id], FULL)
        assert answer.text("t:Subject") == item.subject == "abc\r\n"
        assert answer.text("t:TextBody") == item.body_text == "x]]><&"
