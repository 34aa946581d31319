"""docs/api.md has every endpoint, every parameter and every code of an error."""

import re

from api import problems
from api.app import ROUTES
from api.openapi.markdown import PAGE, updated

DOCUMENT = PAGE.read_text(encoding="utf-8")


def test_the_tables_are_those_of_the_routes() -> None:
    assert updated(DOCUMENT, ROUTES) == DOCUMENT, "run `make docs`"


def test_codes_that_handlers_make_up_are_documented_too() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (PAGE.parents[1] / "api").rglob("*.py"))
    made_up = set(re.findall(r'Refusal\(\s*\d{3},\s*"([A-Z_]+)"', sources))
    nobody_hears = {"CLIENT_GONE"}
    assert {code for code in made_up - nobody_hears if f"`{code}`" not in DOCUMENT} == set()


def test_every_code_of_an_error_is_documented() -> None:
    codes = {code for _, code, _ in problems._TABLE.values()}
    assert {code for code in codes if f"`{code}`" not in DOCUMENT} == set()
