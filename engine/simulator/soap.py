"""Envelopes, response messages and faults, as bytes."""

from collections.abc import Callable, Iterable

from lxml import etree

from engine.simulator.errors import ResponseError, SchemaViolation, SimulatedError, SoapFault
from engine.simulator.options import ServerVersion
from engine.simulator.versions import BUILDS
from engine.simulator.xml import ERRORS, MESSAGES, SOAP, TYPES, escape, quoted

_SPACES = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
_TAIL = b"</s:Body></s:Envelope>"
_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'


def envelope_head(version: ServerVersion) -> bytes:
    """Everything before a response in its envelope."""
    build = BUILDS[version]
    return (
        f'{_DECLARATION}<s:Envelope xmlns:s="{SOAP}"><s:Header>'
        f'<h:ServerVersionInfo MajorVersion="{build.major}" MinorVersion="{build.minor}" '
        f'MajorBuildNumber="{build.build}" MinorBuildNumber="{build.revision}" Version="{build.label}" '
        f'xmlns:h="{TYPES}" xmlns="{TYPES}" {_SPACES}/></s:Header><s:Body {_SPACES}>'
    ).encode()


def envelope(head: bytes, operation: str, messages: list[bytes]) -> bytes:
    """A response with its response messages."""
    name = operation.encode()
    return b"".join(
        [
            head,
            b"<m:%sResponse xmlns:m=%b xmlns:t=%b><m:ResponseMessages>"
            % (name, f'"{MESSAGES}"'.encode(), f'"{TYPES}"'.encode()),
            *messages,
            b"</m:ResponseMessages></m:%sResponse>" % name,
            _TAIL,
        ]
    )


def success(operation: str, *parts: bytes) -> bytes:
    """A response message that carries a result."""
    name = operation.encode()
    return (
        b'<m:%sResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>%s</m:%sResponseMessage>'
        % (
            name,
            b"".join(parts),
            name,
        )
    )


def failure(operation: str, error: SimulatedError, tail: bytes = b"", kind: str = "Error") -> bytes:
    """A response message that carries an error; ``tail`` holds elements the schema wants even then."""
    values = "".join(f'<t:Value Name="{quoted(k)}">{escape(v)}</t:Value>' for k, v in error.values.items())
    details = f"<m:MessageXml>{values}</m:MessageXml>" if values else ""
    return (
        f'<m:{operation}ResponseMessage ResponseClass="{kind}"><m:MessageText>{escape(error.text)}</m:MessageText>'
        f"<m:ResponseCode>{error.code}</m:ResponseCode><m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>{details}"
    ).encode() + b"%s</m:%sResponseMessage>" % (tail, operation.encode())


def each(
    operation: str, elements: Iterable[etree._Element], make: Callable[[etree._Element], bytes], tail: bytes = b""
) -> list[bytes]:
    """One response message per element, in order: what ``make`` gives, or the error it raises."""
    answers = []
    for element in elements:
        try:
            answers.append(success(operation, make(element)))
        except ResponseError as error:
            answers.append(failure(operation, error, tail))
    return answers


def fault(error: SoapFault) -> bytes:
    """A SOAP fault in its envelope; like Exchange's it has no header."""
    return (
        f'{_DECLARATION}<s:Envelope xmlns:s="{SOAP}"><s:Body><s:Fault>'
        f'<faultcode xmlns:a="{TYPES}">a:{error.code}</faultcode>'
        f'<faultstring xml:lang="en-US">{escape(error.text)}</faultstring><detail>'
        f'<e:ResponseCode xmlns:e="{ERRORS}">{error.code}</e:ResponseCode>'
        f'<e:Message xmlns:e="{ERRORS}">{escape(_message(error))}</e:Message>'
        f"{_details(error)}</detail></s:Fault></s:Body></s:Envelope>"
    ).encode()


def _message(error: SoapFault) -> str:
    return "The request failed schema validation." if isinstance(error, SchemaViolation) else error.text


def _details(error: SoapFault) -> str:
    if isinstance(error, SchemaViolation):
        inner = (
            f"<t:LineNumber>{error.line}</t:LineNumber><t:LinePosition>{error.position}</t:LinePosition>"
            f"<t:Violation>{escape(error.violation)}</t:Violation>"
        )
    else:
        inner = "".join(f'<t:Value Name="{quoted(k)}">{escape(v)}</t:Value>' for k, v in error.values.items())
    return f'<t:MessageXml xmlns:t="{TYPES}">{inner}</t:MessageXml>' if inner else ""
