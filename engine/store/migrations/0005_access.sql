-- Who may ask, and who did what. Neither is a view that people query: whoever may run SQL need not see them.

-- Rows are never deleted, so that the trail always has a name for an id. digest: SHA-256 of the token, all that is kept.
CREATE TABLE _mailroom.tokens (
    token_id     VARCHAR NOT NULL,
    name         VARCHAR NOT NULL,
    "role"       VARCHAR NOT NULL,
    digest       BLOB NOT NULL,
    groups       VARCHAR[] NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    created_by   VARCHAR NOT NULL,
    expires_at   TIMESTAMPTZ,
    revoked_at   TIMESTAMPTZ,
    last_used_at TIMESTAMPTZ
);

-- before and after: JSON objects. token_id: empty for the administrator of the environment.
CREATE TABLE _mailroom.audit (
    entry_id  VARCHAR NOT NULL,
    "at"      TIMESTAMPTZ NOT NULL,
    "action"  VARCHAR NOT NULL,
    outcome   VARCHAR NOT NULL,
    principal VARCHAR NOT NULL,
    "role"    VARCHAR,
    token_id  VARCHAR NOT NULL,
    address   VARCHAR NOT NULL,
    target    VARCHAR NOT NULL,
    "before"  VARCHAR NOT NULL,
    "after"   VARCHAR NOT NULL
);
