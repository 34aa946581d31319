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


def own_key(alias: str) -> str:
    """SQL for the key of a message, wherever it is; NULL without a Message-ID."""
    return f"md5_number_lower(nullif({_first_id(f'{alias}.message_id')}, ''))"


def root_key(alias: str) -> str:
    """SQL for the key of the message a conversation began with, as far as an email tells: else its own."""
    return f"coalesce(md5_number_lower(nullif(regexp_extract({_ancestors(alias)}, '{_ID}'), '')), {own_key(alias)})"


def ancestor_keys(alias: str) -> str:
    """SQL for the keys of all messages an email refers to."""
    ids = f"list_distinct(regexp_extract_all({_ancestors(alias)}, '{_ID}'))"
    return f"list_transform({ids}, lambda one: md5_number_lower(one))"


def conversation_key(alias: str) -> str:
    """SQL for the key of a conversation in one mailbox; NULL where Exchange names none."""
    return f"md5_number_lower({alias}.operator_id || chr(31) || nullif({alias}.conversation_id, ''))"


_ID = "<[^<>\\s]+>"


def _first_id(text: str) -> str:
    return f"coalesce(nullif(regexp_extract({text}, '{_ID}'), ''), trim({text}))"


def _ancestors(alias: str) -> str:
    return f"""concat_ws(' ', {alias}."references", {alias}.in_reply_to)"""


def message_key(alias: str) -> str:
    """SQL for the key that copies of one message in one mailbox share; NULL without a Message-ID."""
    return key(f"{alias}.operator_id", f"nullif({alias}.message_id, '')")
