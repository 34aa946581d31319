"""What ``serve`` finds out before and while it starts, so that a wrong setting is a clear line and not a riddle.

Checks raise when starting makes no sense (the whole installation is affected, and time will not mend it) and return
lines to print when it does.
"""

import asyncio
import os
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from api.words import error_lines
from engine import callback, errors
from engine.model import Operator, OperatorId
from engine.ports import MailSource

HANDFUL = 5
"""Operators tried before "everyone is affected" is believed."""
CONNECT_SECONDS = 10.0
NO_CHECK = "Or start with --no-check if it will be there later."

_INSTALLATION = (errors.AuthenticationFailed, errors.EndpointInvalid, errors.VersionInvalid, errors.EwsBlocked)
_OPERATOR = (errors.MailboxNotFound, errors.ImpersonationDenied, errors.AccountDisabled)


def check_store(path: Path) -> None:
    """Whether a database file can be there.

    Raises:
        SettingsError: it cannot.
    """
    where = f"store.path: {path}"
    if path.exists() and not path.is_file():
        raise errors.SettingsError(f"{where} is not a file. Give the path of a DuckDB file; it is made when missing.")
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise errors.SettingsError(f"{where} cannot be read and written by this user. Change its permissions.")
    folder = next(parent for parent in path.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise errors.SettingsError(f"{where} cannot be made: this user may not write in {folder}. Choose another path.")


async def check_reachable(url: str) -> None:
    """Whether anything listens where exchange.url points.

    Raises:
        SettingsError: the host is unknown, or nothing answers there.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    if parts.scheme in getproxies() and not proxy_bypass(host):
        return  # the way leads through a proxy; only a real request can tell
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except socket.gaierror:
        raise errors.SettingsError(
            f"exchange.url: the host {host} is unknown. Check its spelling. {NO_CHECK}"
        ) from None
    except TimeoutError:
        raise errors.SettingsError(
            f"exchange.url: {host} port {port} does not answer within {CONNECT_SECONDS:g} seconds. "
            f"Check the address and the firewall. {NO_CHECK}"
        ) from None
    except OSError as error:
        raise errors.SettingsError(
            f"exchange.url: nothing can be reached at {host} port {port} ({error.strerror or error}). "
            f"Check the address, and that Exchange is up. {NO_CHECK}"
        ) from error
    writer.close()


async def check_exchange(source: MailSource, operators: Sequence[Operator], folders: Sequence[str]) -> list[str]:
    """Whether Exchange lets us in, tried with the first operators until one works; lines about what does not.

    Raises:
        SourceError: nobody can be synchronised until somebody corrects something.
    """
    lines: list[str] = []
    refused: errors.SourceError | None = None
    for operator in operators[:HANDFUL]:
        try:
            resolved = await source.resolve_folders(operator.email, folders)
        except _INSTALLATION:
            raise
        except _OPERATOR as error:
            lines += [f"{operator.operator_id}: {line}" for line in error_lines(error)]
            refused = error
        except errors.SourceError as error:
            return [*lines, *error_lines(error)]
        else:
            missing = [f"{operator.operator_id}: no folder {name} in this mailbox." for name in resolved.missing]
            return [*lines, *missing]
    if refused is not None:
        raise refused
    return lines


async def check_listener(base: str, key: bytes) -> list[str]:
    """Whether the notification URL leads back to our own listener; lines about what is doubtful.

    It is asked from here, and Exchange may see it differently: only an unknown host or a refused connection is
    taken for certain.

    Raises:
        SettingsError: it leads nowhere.
    """
    url = callback.callback_url(base, callback.sign(key, OperatorId(""), "probe"))
    doubt = f"email_sync.notification_url: {base} does not lead to this gateway as seen from here"
    remedy = "Check the address and what stands between (proxy, firewall, certificate); without it there is no push."
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CONNECT_SECONDS)) as session,
            session.get(url) as response,
        ):
            if response.status == 200 and b'"mailroom"' in await response.content.read(1000):
                return []
            return [f"{doubt} (HTTP {response.status}). {remedy}"]
    except (aiohttp.ClientSSLError, TimeoutError) as error:
        return [f"{doubt} ({error or 'no answer'}). {remedy}"]
    except aiohttp.ClientConnectorError as error:
        raise errors.SettingsError(
            f"email_sync.notification_url: {base} leads nowhere: {error.os_error.strerror or error.os_error}. "
            "Set it to an address of this gateway that Exchange can reach, or leave it out. "
            "--no-check skips this check."
        ) from error
    except aiohttp.ClientError as error:
        return [f"{doubt} ({error}). {remedy}"]
