"""A look at a store from outside, before anybody opens it."""

from pathlib import Path

import duckdb


def has_synchronised(path: Path) -> bool:
    """Whether any mailbox of this store has ever been synchronised, as far as can be seen.

    A store that is not there yet, or is in use, shows nothing.
    """
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            rows = connection.execute(
                "SELECT count(*) FROM _mailroom.mailboxes WHERE last_success_at IS NOT NULL"
            ).fetchall()
    except duckdb.Error:
        return False
    return bool(rows[0][0])
