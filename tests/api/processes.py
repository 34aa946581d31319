"""Commands as a user runs them: a process, its output and its exit code."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass
class Result:
    code: int
    out: bytes
    err: str


async def start(*arguments: str, environ: Mapping[str, str] | None = None) -> asyncio.subprocess.Process:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAILROOM_")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "api.cli",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**kept, **(environ or {})},
    )


async def run(*arguments: str, environ: Mapping[str, str] | None = None, stdin: bytes = b"") -> Result:
    process = await start(*arguments, environ=environ)
    out, err = await process.communicate(stdin)
    assert process.returncode is not None
    assert b"Traceback" not in err
    return Result(process.returncode, out, err.decode())
