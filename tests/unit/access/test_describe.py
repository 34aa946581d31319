from pathlib import Path

from engine.access import describe
from engine.access.audit import Action
from engine.access.roles import Permission, Role
from engine.access.tokens import TOKEN_PATTERN

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "access.md").read_text(encoding="utf-8")


def test_the_pages_tables_are_those_of_the_rules() -> None:
    assert describe.filled(PAGE) == PAGE
    assert PAGE.count("<!-- end -->") == 2


def test_tables_have_a_row_for_each() -> None:
    for permission in Permission:
        assert f"| `{permission}` |" in describe.roles_table()
    for action in Action:
        assert f"| `{action}` |" in describe.actions_table()
    assert len({line.count("|") for line in describe.roles_table().splitlines()}) == 1


def test_the_page_names_every_role_and_the_pattern() -> None:
    assert all(f"**`{role}`**" in PAGE for role in Role)
    assert TOKEN_PATTERN in PAGE


def test_a_stale_table_is_replaced() -> None:
    stale = PAGE.replace("| `query:run` |", "| `query:walk` |")
    assert stale != PAGE
    assert describe.filled(stale) == PAGE
