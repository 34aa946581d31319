"""The tables of ``docs/access.md``, made from the rules themselves so that the page cannot say anything else."""

from engine.access.audit import ACTIONS, Action
from engine.access.roles import MEANINGS, PERMISSIONS, Permission, Role


def roles_table() -> str:
    """Permissions by role, as Markdown."""
    rows = [
        f"| `{permission}` | {MEANINGS[permission]} | {' | '.join(_mark(role, permission) for role in Role)} |"
        for permission in Permission
    ]
    heads = " | ".join(f"`{role}`" for role in Role)
    return "\n".join([f"| permission | what it covers | {heads} |", "|---|---|" + ":-:|" * len(Role), *rows])


def actions_table() -> str:
    """What the audit trail has entries of, as Markdown."""
    rows = [f"| `{action}` | {ACTIONS[action]} |" for action in Action]
    return "\n".join(["| action | what is written down |", "|---|---|", *rows])


def filled(page: str) -> str:
    """The page with its tables as they are now: each stands between ``<!-- NAME -->`` and ``<!-- end -->``."""
    for name, table in (("roles", roles_table()), ("actions", actions_table())):
        before, start, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition("\n<!-- end -->")
        page = before + start + table + end + after
    return page


def _mark(role: Role, permission: Permission) -> str:
    return "yes" if permission in PERMISSIONS[role] else ""
