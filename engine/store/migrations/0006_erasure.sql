-- People whose mail was erased and is kept out. No addresses: hashes, keyed with what is not in this file.

CREATE TABLE _mailroom.suppressions (
    digest BLOB NOT NULL,
    since  TIMESTAMPTZ NOT NULL
);

-- One row once there is a list: tells whether a key is the one it was made with.
CREATE TABLE _mailroom.suppression_key ("check" BLOB NOT NULL);

-- Items that were kept out, so that a listing does not have them fetched again and again.
CREATE TABLE _mailroom.kept_out (
    folder_key UHUGEINT NOT NULL,
    item_key   UHUGEINT NOT NULL,
    change_key VARCHAR NOT NULL
);

CREATE TABLE _mailroom.erasures (
    erasure_id      VARCHAR NOT NULL,
    "at"            TIMESTAMPTZ NOT NULL,
    "by"            VARCHAR NOT NULL,
    address_hash    VARCHAR NOT NULL,
    mailboxes       STRUCT(
        operator_id VARCHAR, emails BIGINT, deleted_emails BIGINT, attachments BIGINT, associations BIGINT)[] NOT NULL,
    words           BIGINT NOT NULL,
    operators       VARCHAR[] NOT NULL,
    remains         VARCHAR[] NOT NULL,
    rewritten_at    TIMESTAMPTZ,
    rewrite_problem VARCHAR,
    size_before     BIGINT,
    size_after      BIGINT,
    lifted_at       TIMESTAMPTZ,
    lifted_by       VARCHAR
);
