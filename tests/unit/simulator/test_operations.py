import base64

import pytest
from lxml import etree

from engine.simulator import Attachment
from engine.simulator.fields import BY_URI, OTHER_URIS
from tests.unit.simulator.ews import FOLDER_SHAPE, NS, ONE, SHAPE, TWO, serving

INBOX = '<t:DistinguishedFolderId Id="inbox"/>'


def find(view: str = "", restriction: str = "", order: str = "", folder: str = INBOX) -> str:
    wanted = f"<m:Restriction>{restriction}</m:Restriction>" if restriction else ""
    return (
        f'<m:FindItem Traversal="Shallow">{SHAPE.format("Default")}{view}{wanted}{order}'
        f"<m:ParentFolderIds>{folder}</m:ParentFolderIds></m:FindItem>"
    )


def compare(name: str, uri: str, value: str) -> str:
    constant = f'<t:FieldURIOrConstant><t:Constant Value="{value}"/></t:FieldURIOrConstant>'
    return f'<t:{name}><t:FieldURI FieldURI="{uri}"/>{constant}</t:{name}>'


@pytest.mark.parametrize("base", ["IdOnly", "Default", "AllProperties"])
async def test_get_folder_answers_each_id_on_its_own(base: str) -> None:
    async with serving() as client:
        mailbox = client.exchange.mailbox(ONE)
        item = client.exchange.items(ONE)[0].item_id
        foreign = client.exchange.mailbox(TWO).folder("inbox").folder_id
        ids = [mailbox.folder("inbox").folder_id, "A", "AAAA", "", item, foreign]
        folders = "".join(f'<t:FolderId Id="{folder}"/>' for folder in ids)
        names = "".join(f'<t:DistinguishedFolderId Id="{name}"/>' for name in ("calendar", "root", "voicemail"))
        answer = await client.call(
            f"<m:GetFolder>{FOLDER_SHAPE.format(base)}<m:FolderIds>{folders}{names}</m:FolderIds></m:GetFolder>"
        )
        assert answer.codes == [
            "NoError",
            "ErrorInvalidIdMalformed",
            "ErrorInvalidIdMalformed",
            "ErrorInvalidIdEmpty",
            "ErrorInvalidFolderId",
            "ErrorFolderNotFound",
            "NoError",
            "NoError",
            "ErrorFolderNotFound",
        ]
        assert len(answer.all("t:CalendarFolder")) == 1


async def test_find_folder_walks_and_pages() -> None:
    shape = FOLDER_SHAPE.format("AllProperties")
    top = '<m:ParentFolderIds><t:DistinguishedFolderId Id="msgfolderroot"/></m:ParentFolderIds>'
    view = '<m:IndexedPageFolderView MaxEntriesReturned="4" Offset="{}" BasePoint="Beginning"/>'
    async with serving() as client:
        shallow = await client.call(f'<m:FindFolder Traversal="Shallow">{shape}{top}</m:FindFolder>')
        deep = await client.call(f'<m:FindFolder Traversal="Deep">{shape}{top}</m:FindFolder>')
        assert len(shallow.all("t:FolderId")) < len(deep.all("t:FolderId"))
        assert "Customers" in [e.text for e in deep.all("t:DisplayName")]
        seen: list[str] = []
        for offset in range(0, 40, 4):
            page = await client.call(f'<m:FindFolder Traversal="Deep">{shape}{view.format(offset)}{top}</m:FindFolder>')
            seen += [e.get("Id", "") for e in page.all("t:FolderId")]
            if page.one("m:RootFolder").get("IncludesLastItemInRange") == "true":
                break
        assert seen == [e.get("Id") for e in deep.all("t:FolderId")]


async def test_get_item_serves_what_the_truth_says() -> None:
    async with serving(emails=120) as client:
        truth = client.exchange.items(ONE)
        answer = await client.get_items([item.item_id for item in truth])
        assert set(answer.codes) == {"NoError"}
        for item, element in zip(truth, answer.all("t:Message"), strict=True):

            def text(name: str, element: etree._Element = element) -> str:
                return element.findtext(f"t:{name}", "", NS)

            assert text("Subject") == item.subject
            assert text("TextBody") == item.body_text
            assert text("Body") == (item.body_html or item.body_text)
            assert text("InternetMessageId") == item.message_id
            assert text("IsRead") == str(item.is_read).lower()
            assert text("From/t:Mailbox/t:EmailAddress") == (item.author.address if item.author else "")
            found = [e.text for e in element.findall("t:Attachments/*/t:Name", NS)]
            assert found == list(item.attachments)
            mime = base64.b64decode(text("MimeContent"))
            assert item.message_id.encode() in mime


async def test_every_property_can_be_asked_for() -> None:
    async with serving(emails=3) as client:
        item = client.exchange.items(ONE)[0].item_id
        uris = [uri for uri in (*BY_URI, *OTHER_URIS) if ":" in uri]
        paths = "".join(f'<t:FieldURI FieldURI="{uri}"/>' for uri in uris)
        extra = f"</t:BaseShape><t:AdditionalProperties>{paths}</t:AdditionalProperties>"
        shape = SHAPE.format("IdOnly").replace("</t:BaseShape>", extra)
        assert (await client.get_items([item], shape)).codes == ["NoError"]
        assert (await client.sync(shape=shape)).codes == ["NoError"]
        unknown = shape.replace("item:Subject", "item:Colour")
        assert (await client.get_items([item], unknown)).codes == ["ErrorSchemaValidation"]


@pytest.mark.parametrize(("kind", "expected"), [("Text", "Text"), ("HTML", "HTML")])
async def test_bodies_come_as_asked(kind: str, expected: str) -> None:
    shape = SHAPE.format("Default").replace("</t:BaseShape>", f"</t:BaseShape><t:BodyType>{kind}</t:BodyType>")
    async with serving(emails=30) as client:
        answer = await client.get_items([item.item_id for item in client.exchange.items(ONE)], shape)
        assert {e.get("BodyType") for e in answer.all("t:Body")} == {expected}


async def test_get_item_answers_each_id_on_its_own() -> None:
    async with serving() as client:
        mine = client.exchange.items(ONE)[0].item_id
        foreign = client.exchange.items(TWO)[0].item_id
        answer = await client.get_items([mine, "AAA=", foreign, client.exchange.mailbox(ONE).folder("inbox").folder_id])
        assert answer.codes == ["NoError", "ErrorInvalidIdMalformed", "ErrorItemNotFound", "ErrorItemNotFound"]


async def test_find_item_filters_sorts_and_pages() -> None:
    async with serving(emails=80) as client:
        truth = client.exchange.items(ONE, "inbox")
        unread = await client.call(find(restriction=compare("IsEqualTo", "message:IsRead", "false")))
        assert set(unread.ids) == {item.item_id for item in truth if not item.is_read}
        middle = sorted(item.received_at for item in truth)[len(truth) // 2]
        recent = await client.call(
            find(restriction=compare("IsGreaterThanOrEqualTo", "item:DateTimeReceived", str(middle)))
        )
        assert set(recent.ids) == {item.item_id for item in truth if item.received_at >= middle}
        word = truth[0].subject[:5]
        contains = (
            '<t:Contains ContainmentMode="Prefixed" ContainmentComparison="IgnoreCase">'
            '<t:FieldURI FieldURI="item:Subject"/>'
            f'<t:Constant Value="{word.upper()}"/></t:Contains>'
        )
        both = f"<t:And>{contains}<t:Not>{compare('IsEqualTo', 'message:IsRead', 'true')}</t:Not></t:And>"
        answer = await client.call(find(restriction=both))
        wanted = {i.item_id for i in truth if i.subject.lower().startswith(word.lower()) and not i.is_read}
        assert set(answer.ids) == wanted
        exists = '<t:Exists><t:FieldURI FieldURI="item:Categories"/></t:Exists>'
        assert set((await client.call(find(restriction=exists))).ids) == {i.item_id for i in truth if i.categories}
        flag = exists.replace("item:Categories", "message:IsRead")
        assert (await client.call(find(restriction=flag))).codes == ["ErrorInvalidPropertyForExists"]
        order = (
            '<m:SortOrder><t:FieldOrder Order="Ascending"><t:FieldURI FieldURI="item:DateTimeReceived"/></t:FieldOrder>'
            "</m:SortOrder>"
        )
        seen: list[str] = []
        for offset in range(0, 200, 9):
            view = f'<m:IndexedPageItemView MaxEntriesReturned="9" Offset="{offset}" BasePoint="Beginning"/>'
            page = await client.call(find(view, order=order))
            seen += page.ids
            if page.one("m:RootFolder").get("IncludesLastItemInRange") == "true":
                break
        assert seen == [item.item_id for item in sorted(truth, key=lambda item: item.received_at)]


async def test_find_item_refuses_what_it_cannot() -> None:
    async with serving() as client:
        query = find().replace("</m:FindItem>", "<m:QueryString>subject:x</m:QueryString></m:FindItem>")
        assert (await client.call(query)).codes == ["ErrorInvalidOperation"]
        view = '<m:IndexedPageItemView MaxEntriesReturned="0" Offset="0" BasePoint="Beginning"/>'
        assert (await client.call(find(view))).codes == ["ErrorInvalidPagingMaxRows"]
        view = '<m:IndexedPageItemView MaxEntriesReturned="1" Offset="-1" BasePoint="Beginning"/>'
        assert (await client.call(find(view))).codes == ["ErrorInvalidIndexedPagingParameters"]
        odd = compare("IsEqualTo", "item:ResponseObjects", "x")
        assert (await client.call(find(restriction=odd))).codes == ["ErrorUnsupportedPathForQuery"]


async def test_attachments_are_fetched() -> None:
    mail = b"From: a@b.example\r\nSubject: Inner\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n\r\nHello"
    files = [
        Attachment("a.bin", "application/octet-stream", b"\x00\x01"),
        Attachment("Inner", "message/rfc822", mail, is_item=True),
    ]
    async with serving() as client:
        item = client.exchange.deliver(ONE, attachments=files)
        listed = await client.get_items([item.item_id])
        ids = [e.get("Id") for e in listed.all("t:AttachmentId")]
        wanted = "".join(f'<t:AttachmentId Id="{one}"/>' for one in [*ids, item.item_id, str(ids[0])[:-8] + "AAAACQ=="])
        answer = await client.call(
            "<m:GetAttachment><m:AttachmentShape><t:IncludeMimeContent>true</t:IncludeMimeContent></m:AttachmentShape>"
            f"<m:AttachmentIds>{wanted}</m:AttachmentIds></m:GetAttachment>"
        )
        assert answer.codes[:3] == ["NoError", "NoError", "ErrorInvalidIdNotAnItemAttachmentId"]
        assert base64.b64decode(answer.text("t:Content")) == b"\x00\x01"
        assert answer.text("t:Message/t:Subject") == "Inner"
        assert base64.b64decode(answer.text("t:Message/t:MimeContent")) == mail
