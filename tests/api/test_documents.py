"""docs/api.md has every route, every filter and every error code."""

import re
from pathlib import Path

import pytest

from api import problems
from api.app import ROUTES
from tests.api.conftest import BEARER, Client

DOCUMENT = (Path(__file__).parents[2] / "docs" / "api.md").read_text(encoding="utf-8")
BELOW = "/api/v1/"
ROW = re.compile(r"^\| `(GET|POST|PATCH) ([\w/]+)` \| (.*) \|$", re.MULTILINE)
LISTS = [(path, words) for method, path, words in ROW.findall(DOCUMENT) if method == "GET" and "filters" in words]


def test_every_route_is_documented_and_the_other_way_round() -> None:
    served = {f"{route.method} {route.path.removeprefix(BELOW)}" for route in ROUTES if route.path.startswith(BELOW)}
    assert {f"{method} {path}".replace("NAME", "{name}") for method, path, _ in ROW.findall(DOCUMENT)} == served


@pytest.mark.parametrize(("path", "words"), LISTS, ids=[path for path, _ in LISTS])
async def test_every_filter_is_documented(client: Client, path: str, words: str) -> None:
    async with client.get(BELOW + path.replace("NAME", "EmailSync") + "?none=1", headers=BEARER) as response:
        hint = (await response.json())["error"]["hint"]
    possible = re.findall(r"\w+", hint.removeprefix("Possible are: "))
    assert set(re.findall(r"`(\w+)`", words.partition("filters ")[2])) == set(possible[:-2])
    assert possible[-2:] == ["limit", "cursor"]


def test_every_code_of_an_error_is_documented() -> None:
    codes = {code for _, code, _ in problems._TABLE.values()}
    assert {code for code in codes if f"`{code}`" not in DOCUMENT} == set()
