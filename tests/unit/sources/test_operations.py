from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from lxml import etree

from engine.errors import (
    FolderMissing,
    ImpersonationDenied,
    MailboxNotFound,
    RequestRefused,
    ResponseUnreadable,
    SyncTokenRefused,
)
from engine.model import Change, ChangeKind, Folder, FolderId, ItemId, SyncToken
from engine.settings import ExchangeVersion
from engine.sources.ews.folders import distinguished
from engine.sources.ews.source import EwsSource
from tests.unit.sources.conftest import INBOX, MAILBOX, Make, Responder
from tests.unit.sources.soap import (
    answer,
    folder,
    items,
    page,
    refusal,
    shared,
    soap_fault,
    subfolders,
    success,
)

CREATE = (
    '<t:Create><t:{kind}><t:ItemId Id="{id}" ChangeKey="ck"/><t:DateTimeReceived>2026-11-01T08:00:00Z'
    "</t:DateTimeReceived><t:Size>3600</t:Size><t:IsRead>false</t:IsRead></t:{kind}></t:Create>"
)
TYPES = (
    "Message", "MeetingRequest", "MeetingCancellation", "MeetingResponse", "CalendarItem", "Contact", "Task",
    "PostItem", "DistributionList", "Item", "Hologram",
)  # fmt: skip
AT = datetime(2026, 11, 1, 8, tzinfo=UTC)
SUBSCRIBED = answer("Subscribe", success("Subscribe", "<m:SubscriptionId>sub</m:SubscriptionId>"))


async def resolve(source: EwsSource, *names: str) -> tuple[list[tuple[str, str]], Sequence[str]]:
    found = await source.resolve_folders(MAILBOX, names)
    return [(one.name, one.folder_id) for one in found.found], found.missing


# SyncFolderItems


@pytest.mark.parametrize("kind", TYPES)
async def test_items_of_every_type_are_listed(source: EwsSource, responder: Responder, kind: str) -> None:
    responder.reply(page(CREATE.format(kind=kind, id="1")))
    found = await source.read_changes(MAILBOX, INBOX, None, 512)
    assert found.changes == (Change(ChangeKind.CREATE, ItemId("1"), "ck", AT, is_read=False, size=3600),)


@pytest.mark.parametrize("kind", TYPES)
async def test_the_newest_items_are_found(source: EwsSource, responder: Responder, kind: str) -> None:
    listed = CREATE.format(kind=kind, id="1").removeprefix("<t:Create>").removesuffix("</t:Create>")
    root = f'<m:RootFolder IncludesLastItemInRange="false"><t:Items>{listed}<t:Message/></t:Items></m:RootFolder>'
    responder.reply(answer("FindItem", success("FindItem", root)))
    found = await source.find_newest(MAILBOX, INBOX, 7)
    assert found == (Change(ChangeKind.CREATE, ItemId("1"), "ck", AT, is_read=False, size=3600),)
    sent = responder.requests[0].root
    view = sent.find(".//{*}IndexedPageItemView")
    assert view is not None
    assert (view.get("MaxEntriesReturned"), view.get("Offset")) == ("7", "0")


async def test_a_list_of_items_without_its_root_is_unreadable(source: EwsSource, responder: Responder) -> None:
    responder.reply(answer("FindItem", success("FindItem", "")))
    with pytest.raises(ResponseUnreadable):
        await source.find_newest(MAILBOX, INBOX, 7)


async def test_the_four_changes_are_read_and_others_ignored(source: EwsSource, responder: Responder) -> None:
    responder.reply(
        page(
            '<t:Update><t:Message><t:ItemId Id="1" ChangeKey="2"/></t:Message></t:Update>',
            '<t:Delete><t:ItemId Id="2"/></t:Delete>',
            '<t:ReadFlagChange><t:ItemId Id="3" ChangeKey="4"/><t:IsRead>true</t:IsRead></t:ReadFlagChange>',
            '<t:Transmogrify><t:ItemId Id="4"/></t:Transmogrify>',
            state=" token ",
            last="false",
        )
    )
    found = await source.read_changes(MAILBOX, INBOX, SyncToken("before"), 10)
    assert found.changes == (
        Change(ChangeKind.UPDATE, ItemId("1"), "2"),
        Change(ChangeKind.DELETE, ItemId("2")),
        Change(ChangeKind.READ_FLAG, ItemId("3"), "4", is_read=True),
    )
    assert (found.token, found.last) == ("token", False)
    sent = responder.requests[0].root
    assert sent.findtext(".//{*}SyncState") == "before"
    assert sent.findtext(".//{*}MaxChangesReturned") == "10"


async def test_the_documented_page_is_read(source: EwsSource, responder: Responder) -> None:
    responder.reply(shared("ews-samples/SyncFolderItemsResponse-01.xml").read_bytes())
    found = await source.read_changes(MAILBOX, INBOX, None, 512)
    assert [(one.kind, one.item_id) for one in found.changes] == [(ChangeKind.CREATE, "AQApAHRwA==")]
    assert (found.token, found.last) == ("H4sIAAAAA=", True)


async def test_a_refused_token_is_told_by_response_and_by_fault(source: EwsSource, responder: Responder) -> None:
    responder.reply(shared("ews-samples/SyncFolderItemsResponse-02.xml").read_bytes())
    with pytest.raises(SyncTokenRefused):
        await source.read_changes(MAILBOX, INBOX, SyncToken("x"), 512)
    responder.replies.clear()
    responder.reply(soap_fault("ErrorInvalidSyncStateData"), status=500)
    with pytest.raises(SyncTokenRefused):
        await source.read_changes(MAILBOX, INBOX, SyncToken("x"), 512)


@pytest.mark.parametrize(
    "code", ["ErrorSyncFolderNotFound", "ErrorFolderNotFound", "ErrorItemNotFound", "ErrorInvalidIdMalformed"]
)
async def test_a_folder_that_is_gone_is_missing(source: EwsSource, responder: Responder, code: str) -> None:
    responder.reply(answer("SyncFolderItems", refusal("SyncFolderItems", code)))
    with pytest.raises(FolderMissing, match="inbox"):
        await source.read_changes(MAILBOX, INBOX, None, 512)


@pytest.mark.parametrize(
    "body",
    [
        page(state=""),
        page(last=""),
        page("<t:Delete/>"),
        page("<t:Create><t:Message/></t:Create>"),
        page('<t:ReadFlagChange><t:ItemId Id="1"/></t:ReadFlagChange>'),
        answer("SyncFolderItems"),
        items(),
    ],
)
async def test_a_page_that_does_not_tell_all_is_no_page(source: EwsSource, responder: Responder, body: str) -> None:
    responder.reply(body)
    with pytest.raises(ResponseUnreadable):
        await source.read_changes(MAILBOX, INBOX, None, 512)


# Folders


async def test_distinguished_names_in_any_case_keep_the_settings_name(source: EwsSource, responder: Responder) -> None:
    responder.reply(answer("GetFolder", folder("1"), folder("2")))
    assert await resolve(source, "Inbox", "SENTITEMS") == ([("Inbox", "1"), ("SENTITEMS", "2")], ())
    sent = [node.get("Id") for node in responder.requests[0].root.iter("{*}DistinguishedFolderId")]
    assert sent == ["inbox", "sentitems"]


async def test_missing_folders_are_reported_and_not_raised(source: EwsSource, responder: Responder) -> None:
    responder.reply(
        answer("GetFolder", folder("1"), refusal("GetFolder", "ErrorFolderNotFound"), folder("3", "CalendarFolder"))
    )
    assert await resolve(source, "inbox", "voicemail", "calendar") == (
        [("inbox", "1"), ("calendar", "3")],
        ("voicemail",),
    )


async def test_paths_are_walked_step_by_step_and_listed_once(source: EwsSource, responder: Responder) -> None:
    responder.reply(subfolders(("Projects", "p"), ("Other", "o")))
    responder.reply(subfolders(("2025", "p25"), last="false"))
    responder.reply(subfolders(("2026", "p26")))
    found = await resolve(source, "inbox/projects/2026", "INBOX/Projects/2025/", "inbox/Nowhere/x")
    assert found == ([("inbox/projects/2026", "p26"), ("INBOX/Projects/2025/", "p25")], ("inbox/Nowhere/x",))
    first, second, third = (request.root for request in responder.requests)
    assert [node.get("Id") for node in first.iter("{*}DistinguishedFolderId")] == ["inbox"]
    assert [node.get("Id") for node in second.iter("{*}FolderId")] == ["p"]
    assert [node.get("Offset") for node in third.iter("{*}IndexedPageFolderView")] == ["1"]


async def test_a_name_of_ones_own_is_looked_for_at_the_top(source: EwsSource, responder: Responder) -> None:
    responder.reply(subfolders(("Projects", "p")))
    assert await resolve(source, "Projects") == ([("Projects", "p")], ())
    assert [node.get("Id") for node in responder.requests[0].root.iter("{*}DistinguishedFolderId")] == ["msgfolderroot"]


async def test_two_names_of_one_folder_are_one_folder(source: EwsSource, responder: Responder) -> None:
    responder.reply(answer("GetFolder", folder("1")))
    assert await resolve(source, "inbox", "Inbox") == ([("inbox", "1")], ())


async def test_a_name_the_server_does_not_know_spoils_no_other(source: EwsSource, responder: Responder) -> None:
    responder.reply(soap_fault("ErrorSchemaValidation"), status=500)
    responder.reply(answer("GetFolder", folder("1")))
    responder.reply(soap_fault("ErrorSchemaValidation"), status=500)
    assert await resolve(source, "inbox", "favorites") == ([("inbox", "1")], ("favorites",))


async def test_exchange_2010_is_not_asked_for_younger_names(source_2010: EwsSource, responder: Responder) -> None:
    responder.reply(subfolders())
    assert await resolve(source_2010, "archiveinbox") == ([], ("archiveinbox",))


async def test_other_refusals_of_a_folder_are_raised(source: EwsSource, responder: Responder) -> None:
    responder.reply(answer("GetFolder", refusal("GetFolder", "ErrorNonExistentMailbox")))
    with pytest.raises(MailboxNotFound):
        await resolve(source, "inbox")


async def test_one_refusal_for_several_folders_is_about_the_mailbox(source: EwsSource, responder: Responder) -> None:
    responder.reply(answer("GetFolder", refusal("GetFolder", "ErrorImpersonateUserDenied")))
    with pytest.raises(ImpersonationDenied):
        await resolve(source, "inbox", "sentitems")


async def test_one_missing_folder_that_spoils_the_batch_spoils_no_other(
    source: EwsSource, responder: Responder
) -> None:
    responder.reply(answer("GetFolder", refusal("GetFolder", "ErrorFolderNotFound")))
    responder.reply(answer("GetFolder", folder("1")))
    responder.reply(answer("GetFolder", refusal("GetFolder", "ErrorFolderNotFound")))
    assert await resolve(source, "inbox", "voicemail") == ([("inbox", "1")], ("voicemail",))


def test_the_distinguished_names_are_the_schemas() -> None:
    schema = etree.parse(str(shared("ews-schema/types.xsd")))
    kind = schema.find(".//{*}simpleType[@name='DistinguishedFolderIdNameType']")
    assert kind is not None
    names = {node.get("value") for node in kind.iter("{*}enumeration")}
    assert distinguished(ExchangeVersion.EXCHANGE2016) == names
    assert distinguished(ExchangeVersion.EXCHANGE2010) < names


# Subscribe


async def test_a_subscription_may_have_no_watermark(source: EwsSource, responder: Responder) -> None:
    responder.reply(SUBSCRIBED)
    assert await source.subscribe(MAILBOX, [INBOX], "http://x/", 30) == ("sub", None)


@pytest.mark.parametrize("sample", ["SubscribeResponse-01", "SubscribeResponse-03"])
async def test_the_documented_subscriptions_are_read(source: EwsSource, responder: Responder, sample: str) -> None:
    responder.reply(shared(f"ews-samples/{sample}.xml").read_bytes())
    subscription_id, watermark = await source.subscribe(MAILBOX, [INBOX], "http://x/", 30)
    assert len(subscription_id) == 36
    assert watermark is not None
    assert watermark.startswith("A")


async def test_a_subscription_without_its_id_is_unreadable(source: EwsSource, responder: Responder) -> None:
    responder.reply(answer("Subscribe", success("Subscribe", "")))
    with pytest.raises(ResponseUnreadable):
        await source.subscribe(MAILBOX, [INBOX], "http://x/", 30)


async def test_an_unknown_code_is_refused_with_it(source: EwsSource, responder: Responder) -> None:
    responder.reply(answer("Subscribe", refusal("Subscribe", "ErrorMoonPhase", "Not now.")))
    with pytest.raises(RequestRefused, match="ErrorMoonPhase: Not now") as caught:
        await source.subscribe(MAILBOX, [INBOX], "http://x/", 30)
    assert caught.value.code == "ErrorMoonPhase"


# Requests


@pytest.mark.parametrize("version", list(ExchangeVersion))
async def test_requests_are_what_the_schema_says(
    make_source: Make, responder: Responder, version: ExchangeVersion
) -> None:
    source = make_source(version=version)
    two = [INBOX, Folder(FolderId("2"), "sentitems")]
    for reply in (answer("GetFolder", folder("1")), subfolders(), page(), SUBSCRIBED, items()):
        responder.reply(reply)
    await source.resolve_folders(MAILBOX, ["inbox", "inbox/x"])
    await source.read_changes(MAILBOX, INBOX, SyncToken("t"), 512)
    await source.subscribe(MAILBOX, two, "https://listener.example.com/ews/notifications/x", 30)
    with pytest.raises(ResponseUnreadable):
        await source.fetch_items(MAILBOX, INBOX, [ItemId("1"), ItemId("2")])
    schema = etree.XMLSchema(etree.parse(str(shared("ews-schema/messages.xsd"))))
    wire = {"Exchange2010": "Exchange2010_SP2", "Exchange2013": "Exchange2013_SP1"}.get(version, "Exchange2016")
    for request in responder.requests:
        header, body = request.root
        schema.assertValid(body[0])
        assert [node.get("Version") for node in header.iter("{*}RequestServerVersion")] == [wire]
        assert [node.text for node in header.iter("{*}PrimarySmtpAddress")] == [MAILBOX]
        assert request.headers["X-AnchorMailbox"] == MAILBOX
        assert request.headers["Content-Type"] == "text/xml; charset=utf-8"


_VERSION_INFO = "<t:ServerVersionInfo xmlns:t='http://schemas.microsoft.com/exchange/services/2006/types' {}/>"


@pytest.mark.parametrize(
    "header",
    [
        "",
        _VERSION_INFO.format("MajorVersion='15' MinorVersion='20' MajorBuildNumber='9' Version='V2_99_9'"),
        _VERSION_INFO.format("MajorVersion='16' MinorVersion='0' Version='Exchange2029'"),
        "<ServerVersionInfo MajorVersion='x'/>",
    ],
)
async def test_what_the_server_says_of_its_version_changes_nothing(
    source: EwsSource, responder: Responder, header: str
) -> None:
    body = page().replace("<s:Header></s:Header>", f"<s:Header>{header}</s:Header>")
    responder.reply(body)
    for _ in range(2):
        await source.read_changes(MAILBOX, INBOX, None, 512)
    versions = [node.get("Version") for one in responder.requests for node in one.root.iter("{*}RequestServerVersion")]
    assert versions == ["Exchange2016", "Exchange2016"]


async def test_a_body_without_a_soap_header_is_read(source: EwsSource, responder: Responder) -> None:
    responder.reply(page().replace("<s:Header></s:Header>", ""))
    assert (await source.read_changes(MAILBOX, INBOX, None, 512)).last
