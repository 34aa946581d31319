"""How rows are found: 128-bit hashes of the strings that identify them, computed in SQL.

md5 and not DuckDB's ``hash()``, because keys are stored and ``hash()`` may change with DuckDB's version.
"""

_SEPARATOR = " || chr(31) || "


def key(*columns: str) -> str:
    """SQL for the key of what these columns identify together; NULL if one is NULL."""
    return f"md5_number({_SEPARATOR.join(columns)})"


def item_key(alias: str) -> str:
    """SQL for an item's key."""
    return key(f"{alias}.operator_id", f"{alias}.item_id")


def folder_key(alias: str) -> str:
    """SQL for a folder's key."""
    return key(f"{alias}.operator_id", f"{alias}.folder_id")


def page_key(alias: str) -> str:
    """SQL for a pending page's key."""
    return key(f"{alias}.operator_id", f"{alias}.page_id")


def message_key(alias: str) -> str:
    """SQL for the key that copies of one message in one mailbox share; NULL without a Message-ID."""
    return key(f"{alias}.operator_id", f"nullif({alias}.message_id, '')")
