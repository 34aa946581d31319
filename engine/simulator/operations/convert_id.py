"""ConvertId: an id in another format.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/convertid-operation
"""

import base64
import binascii

from lxml import etree

from engine.simulator import ids
from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.requests import Model, attribute, children
from engine.simulator.soap import each
from engine.simulator.xml import M, T, quoted

MODEL = Model("m:SourceIds")
FORMATS = ("EwsLegacyId", "EwsId", "EntryId", "HexEntryId", "StoreId", "OwaId")


def handle(_: Context, request: etree._Element) -> list[bytes]:
    """One response message per id, in order."""
    wanted = attribute(request, "DestinationFormat", FORMATS)

    def one(element: etree._Element) -> bytes:
        if element.tag != f"{T}AlternateId":
            raise ResponseError("ErrorInvalidOperation", "Public folder ids are not supported.")
        mailbox = attribute(element, "Mailbox")
        found = _written(_read(attribute(element, "Id"), attribute(element, "Format", FORMATS)), wanted)
        kind = '<m:AlternateId xsi:type="t:AlternateIdType" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        return f'{kind} Format="{wanted}" Id="{found}" Mailbox="{quoted(mailbox)}"/>'.encode()

    return each("ConvertId", children(request, f"{M}SourceIds"), one)


def _read(text: str, given: str) -> bytes:
    """The entry id an id of some format holds."""
    if given in {"EwsId", "EwsLegacyId", "OwaId"}:
        return ids.entry_id(text.replace("%2b", "+").replace("%2f", "/"))
    try:
        return bytes.fromhex(text) if given == "HexEntryId" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ResponseError("ErrorInvalidIdMalformed") from error


def _written(entry: bytes, wanted: str) -> str:
    if wanted == "HexEntryId":
        return entry.hex().upper()
    if wanted in {"EntryId", "StoreId"}:
        return base64.b64encode(entry).decode()
    text = ids.of_entry_id(entry)
    return text.replace("+", "%2b").replace("/", "%2f") if wanted == "OwaId" else text
