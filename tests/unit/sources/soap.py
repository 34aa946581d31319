"""Answers of EWS, written by hand."""

from pathlib import Path

import pytest

SECRET = "s3cr3t-Passw0rd"
SHARED = Path(__file__).resolve().parents[4] / "shared"
_NAMESPACES = (
    'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages" '
    'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"'
)


def shared(path: str) -> Path:
    """A path in the folder beside the repository; the test is skipped where there is none."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"{path} is not on this machine")
    return found


def envelope(content: str, header: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
        f"<s:Header>{header}</s:Header><s:Body>{content}</s:Body></s:Envelope>"
    )


def answer(operation: str, *messages: str, header: str = "") -> str:
    return envelope(
        f"<m:{operation}Response {_NAMESPACES}><m:ResponseMessages>{''.join(messages)}</m:ResponseMessages>"
        f"</m:{operation}Response>",
        header,
    )


def success(operation: str, content: str) -> str:
    return (
        f'<m:{operation}ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>{content}'
        f"</m:{operation}ResponseMessage>"
    )


def refusal(operation: str, code: str, text: str = "No.", **values: str) -> str:
    inner = "".join(f'<t:Value Name="{name}">{value}</t:Value>' for name, value in values.items())
    return (
        f'<m:{operation}ResponseMessage ResponseClass="Error"><m:MessageText>{text}</m:MessageText>'
        f"<m:ResponseCode>{code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>"
        f"<m:MessageXml>{inner}</m:MessageXml></m:{operation}ResponseMessage>"
    )


def soap_fault(code: str, text: str = "No.", **values: str) -> str:
    inner = "".join(f'<t:Value Name="{name}">{value}</t:Value>' for name, value in values.items())
    return envelope(
        f'<s:Fault><faultcode xmlns:a="http://schemas.microsoft.com/exchange/services/2006/types">a:{code}</faultcode>'
        f'<faultstring xml:lang="en-US">{text}</faultstring><detail>'
        f'<e:ResponseCode xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">{code}</e:ResponseCode>'
        f'<e:Message xmlns:e="http://schemas.microsoft.com/exchange/services/2006/errors">{text}</e:Message>'
        f'<t:MessageXml xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types">{inner}</t:MessageXml>'
        "</detail></s:Fault>"
    )


def page(*changes: str, state: str = "next", last: str = "true") -> str:
    return answer(
        "SyncFolderItems",
        success(
            "SyncFolderItems",
            f"<m:SyncState>{state}</m:SyncState><m:IncludesLastItemInRange>{last}</m:IncludesLastItemInRange>"
            f"<m:Changes>{''.join(changes)}</m:Changes>",
        ),
    )


def item(item_id: str, content: str = "", kind: str = "Message", change_key: str = "ck") -> str:
    return success(
        "GetItem",
        f'<m:Items><t:{kind}><t:ItemId Id="{item_id}" ChangeKey="{change_key}"/>{content}</t:{kind}></m:Items>',
    )


def items(*messages: str) -> str:
    return answer("GetItem", *messages)


def folder(folder_id: str, kind: str = "Folder") -> str:
    return success("GetFolder", f'<m:Folders><t:{kind}><t:FolderId Id="{folder_id}"/></t:{kind}></m:Folders>')


def subfolders(*found: tuple[str, str], last: str = "true") -> str:
    entries = "".join(
        f'<t:Folder><t:FolderId Id="{folder_id}"/><t:DisplayName>{name}</t:DisplayName></t:Folder>'
        for name, folder_id in found
    )
    return answer(
        "FindFolder",
        success(
            "FindFolder",
            f'<m:RootFolder TotalItemsInView="{len(found)}" IncludesLastItemInRange="{last}">'
            f"<t:Folders>{entries}</t:Folders></m:RootFolder>",
        ),
    )
