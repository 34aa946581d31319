import random
import re

import aiohttp
import pytest
from lxml import etree

from engine.simulator import ServerVersion
from tests.unit.simulator.ews import FOLDER_SHAPE, NS, ONE, SHAPE, SHARED, TWO, envelope, serving, validate

REPLY = re.compile("Response|Fault")

INBOX = (
    f"<m:GetFolder>{FOLDER_SHAPE.format('Default')}"
    '<m:FolderIds><t:DistinguishedFolderId Id="inbox"/></m:FolderIds></m:GetFolder>'
)
BUILDS = {
    ServerVersion.EXCHANGE_2010: ("14", "3"),
    ServerVersion.EXCHANGE_2013: ("15", "0"),
    ServerVersion.EXCHANGE_2016: ("15", "1"),
    ServerVersion.EXCHANGE_365: ("15", "20"),
}


async def test_the_endpoint_wants_credentials_and_ignores_case() -> None:
    async with serving() as client:
        for url in (client.exchange.url, client.exchange.url.lower()):
            async with client.session.get(url) as response:
                assert response.status == 401
                assert response.headers["WWW-Authenticate"].startswith("Basic realm=")
            async with client.session.get(url, headers=client.headers) as response:
                assert response.status == 200
                assert response.headers["Content-Type"] == "text/xml; charset=utf-8"
        wrong = aiohttp.encode_basic_auth(client.exchange.options.username, "wrong")
        assert (await client.post(envelope(INBOX), Authorization=wrong)).status == 401
        assert (await client.post(envelope(INBOX), Authorization="Basic !!")).status == 401
        async with client.session.get(client.exchange.base_url + "/elsewhere", headers=client.headers) as response:
            assert response.status == 404


@pytest.mark.parametrize("version", list(ServerVersion))
async def test_each_version_says_what_it_is(version: ServerVersion) -> None:
    async with serving(version=version) as client:
        newest = "Exchange2016" if version is ServerVersion.EXCHANGE_365 else version.value
        answer = await client.call(INBOX, version=newest)
        assert answer.codes == ["NoError"]
        info = answer.body.getparent().getparent().find("s:Header/t:ServerVersionInfo", NS)  # type: ignore[union-attr]
        assert info is not None
        assert (info.get("MajorVersion"), info.get("MinorVersion")) == BUILDS[version]


@pytest.mark.parametrize(
    ("server", "asked"),
    [
        (ServerVersion.EXCHANGE_2010, "Exchange2013"),
        (ServerVersion.EXCHANGE_2013, "Exchange2016"),
        (ServerVersion.EXCHANGE_365, "Exchange365"),
        (ServerVersion.EXCHANGE_2016, "nonsense"),
    ],
)
async def test_a_version_too_new_or_unknown_is_a_fault(server: ServerVersion, asked: str) -> None:
    async with serving(version=server) as client:
        answer = await client.call(INBOX, version=asked)
        assert (answer.status, answer.codes) == (500, ["ErrorInvalidServerVersion"])


async def test_text_bodies_came_with_2013() -> None:
    shape = SHAPE.format("IdOnly").replace(
        "</t:BaseShape>",
        '</t:BaseShape><t:AdditionalProperties><t:FieldURI FieldURI="item:TextBody"/></t:AdditionalProperties>',
    )
    async with serving() as client:
        item = client.exchange.items(ONE)[0].item_id
        assert (await client.get_items([item], shape, version="Exchange2013")).codes == ["NoError"]
        assert (await client.get_items([item], shape, version="Exchange2010_SP2")).codes == [
            "ErrorIncorrectSchemaVersion"
        ]
    async with serving(version=ServerVersion.EXCHANGE_2010) as client:
        item = client.exchange.items(ONE)[0].item_id
        assert (await client.get_items([item], shape, version="Exchange2010_SP2")).codes == ["ErrorSchemaValidation"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<not-closed>",
        b"<a/>",
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        envelope("<m:GetFolder/>").encode(),
        envelope(f"<m:GetItem><m:ItemIds/>{SHAPE.format('IdOnly')}</m:GetItem>").encode(),
        envelope(
            f"<m:GetItem>{SHAPE.format('Everything')}<m:ItemIds><t:ItemId Id='A'/></m:ItemIds></m:GetItem>"
        ).encode(),
        envelope(f"<m:GetItem>{SHAPE.format('IdOnly')}<m:ItemIds/></m:GetItem>").encode(),
        envelope(INBOX.replace('"inbox"', '"mailbox"')).encode(),
    ],
)
async def test_what_the_schema_forbids_is_a_fault(body: bytes) -> None:
    async with serving() as client:
        answer = await client.post(body)
        assert answer.status == 500
        assert answer.codes == ["ErrorSchemaValidation"]
        assert answer.headers["Content-Type"] == "text/xml; charset=utf-8"
        assert answer.one("t:LineNumber").text


async def test_unknown_operations_and_empty_bodies_are_invalid_requests() -> None:
    async with serving() as client:
        assert (await client.call("<m:MakeCoffee/>")).codes == ["ErrorInvalidRequest"]
        assert (await client.call("")).codes == ["ErrorInvalidRequest"]


async def test_bodies_beyond_the_limit_are_refused() -> None:
    async with serving(body_limit=1000) as client:
        assert (await client.post(b"x" * 2000)).status == 413


async def test_whom_one_may_act_as() -> None:
    options = {
        "aliases": {"sales@example.com": ONE},
        "denied": frozenset({TWO}),
        "missing": frozenset({"operator0003@example.com"}),
    }
    async with serving(**options) as client:
        assert (await client.call(INBOX, who=ONE.upper())).codes == ["NoError"]
        assert (await client.call(INBOX, who=None)).codes == ["NoError"]
        for who, code in ((TWO, "ErrorImpersonateUserDenied"), ("operator0003@example.com", "ErrorNonExistentMailbox")):
            answer = await client.call(INBOX, who=who)
            assert (answer.status, answer.codes) == (500, [code])
        answer = await client.call(INBOX, who="sales@example.com")
        assert answer.codes == ["ErrorNonPrimarySmtpAddress"]
        assert answer.text("t:Value") == ONE
        sid = envelope(INBOX, "sales@example.com").replace("PrimarySmtpAddress", "SmtpAddress")
        assert (await client.post(sid)).codes == ["NoError"]
        upn = envelope(INBOX, "nobody@example.com").replace("PrimarySmtpAddress", "PrincipalName")
        assert (await client.post(upn)).codes == ["ErrorInvalidUserPrincipalName"]


async def test_operators_have_only_their_own_mailbox() -> None:
    async with serving() as client:
        own = aiohttp.encode_basic_auth("EXAMPLE\\" + ONE, client.exchange.options.password)
        assert (await client.post(envelope(INBOX, None), Authorization=own)).codes == ["NoError"]
        assert (await client.post(envelope(INBOX, TWO), Authorization=own)).codes == ["ErrorImpersonateUserDenied"]
        whose = f"<t:Mailbox><t:EmailAddress>{TWO}</t:EmailAddress></t:Mailbox>"
        other = f'<t:DistinguishedFolderId Id="inbox">{whose}</t:DistinguishedFolderId>'
        delegate = INBOX.replace('<t:DistinguishedFolderId Id="inbox"/>', other)
        assert (await client.post(envelope(delegate, None), Authorization=own)).codes == ["ErrorFolderNotFound"]
        answer = await client.call(delegate, who=None)
        assert answer.codes == ["NoError"]
        assert answer.one("t:FolderId").get("Id") == client.exchange.mailbox(TWO).folder("inbox").folder_id
        nobody = delegate.replace(TWO, "nobody@example.com")
        assert (await client.call(nobody, who=None)).codes == ["ErrorNonExistentMailbox"]


async def test_tokens_are_issued_checked_and_expire() -> None:
    async with serving(token_seconds=-1) as client:
        options = client.exchange.options
        form = {"grant_type": "client_credentials", "client_id": options.client_id, "scope": "x/.default"}
        async with client.session.post(client.exchange.token_url, data={**form, "client_secret": "no"}) as response:
            assert response.status == 401
            assert (await response.json())["error"] == "invalid_client"
        secret = {**form, "client_secret": options.client_secret}
        async with client.session.post(client.exchange.token_url, data=secret) as response:
            expired = (await response.json())["access_token"]
        refused = await client.post(envelope(INBOX), Authorization=f"Bearer {expired}")
        assert refused.status == 401
        assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
        assert (await client.post(envelope(INBOX), Authorization="Bearer a.b.c")).status == 401
    async with serving() as client:
        async with client.session.post(client.exchange.token_url, data=secret) as response:
            token = (await response.json())["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        assert (await client.post(envelope(INBOX), **bearer)).codes == ["NoError"]
        assert (await client.post(envelope(INBOX, None), **bearer)).codes == ["ErrorImpersonationRequired"]


REQUESTS = sorted(path for path in (SHARED / "ews-samples").glob("*.xml") if not REPLY.search(path.name))


@pytest.mark.skipif(not REQUESTS, reason="Microsoft's examples are not here")
async def test_the_requests_microsoft_documents_are_understood() -> None:
    async with serving(subscription_quota=1000) as client:
        for path in REQUESTS:
            answer = await client.post(path.read_bytes())
            if path.name != "Subscribe-03.xml":  # its Subscribe element has no namespace
                assert answer.status == 200, (path.name, answer.content)
                validate(answer.body)


@pytest.mark.skipif(not REQUESTS, reason="Microsoft's examples are not here")
async def test_no_request_makes_the_server_stumble() -> None:
    rng = random.Random(1)
    async with serving(subscription_quota=1000) as client:
        for _ in range(400):
            root = etree.fromstring(rng.choice(REQUESTS).read_bytes())
            for _ in range(rng.randint(1, 4)):
                spoil(root, rng)
            answer = await client.post(etree.tostring(root))
            assert answer.headers["Content-Type"] == "text/xml; charset=utf-8", answer.content
            assert answer.codes


def spoil(root: etree._Element, rng: random.Random) -> None:
    element = rng.choice([e for e in root.iter() if isinstance(e.tag, str)])
    parent = element.getparent()
    match rng.randrange(4):
        case 0 if parent is not None:
            parent.remove(element)
        case 1:
            element.text = rng.choice(["", "x", "-1", "99999999999", "true"])
        case 2 if element.attrib:
            element.set(str(rng.choice(list(element.attrib))), rng.choice(["", "x", "-5", "AAAA"]))
        case _ if parent is not None:
            parent.append(etree.fromstring(etree.tostring(element, with_tail=False)))
