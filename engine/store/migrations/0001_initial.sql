-- Physical tables live in _mailroom; the views of engine/store/views.sql are what people query.
--
-- No table has a primary key: at 5 M emails an index costs three times the append and 2.6 times the file, and an
-- upsert by join costs the same with and without. What identifies a row is a 128-bit hash of its identifying
-- strings (md5 as a number): a scan of 16-byte integers finds rows more than ten times faster than a scan of EWS's
-- 150-character ids. Keys are computed by engine/store/keys.py and nowhere else.

CREATE TABLE _mailroom.meta (incarnation BIGINT NOT NULL);
INSERT INTO _mailroom.meta VALUES (0);

CREATE TABLE _mailroom.operators (
    operator_id VARCHAR NOT NULL,
    email       VARCHAR NOT NULL,
    name        VARCHAR NOT NULL,
    email_sync  BOOLEAN NOT NULL
);

CREATE TABLE _mailroom.mailboxes (
    operator_id     VARCHAR NOT NULL,
    status          VARCHAR NOT NULL,
    window_start    TIMESTAMPTZ,
    last_success_at TIMESTAMPTZ,
    next_sync_at    TIMESTAMPTZ,
    failing_since   TIMESTAMPTZ,
    attempts        INTEGER NOT NULL,
    error_code      VARCHAR,
    error           VARCHAR,
    error_at        TIMESTAMPTZ
);

CREATE TABLE _mailroom.subscriptions (
    operator_id      VARCHAR NOT NULL,
    serial           VARCHAR NOT NULL,
    status           VARCHAR NOT NULL,
    callback_url     VARCHAR NOT NULL,
    status_frequency INTEGER NOT NULL,
    subscription_id  VARCHAR,
    watermark        VARCHAR,
    created_at       TIMESTAMPTZ,
    heard_at         TIMESTAMPTZ,
    next_attempt_at  TIMESTAMPTZ,
    error_code       VARCHAR,
    error            VARCHAR
);

CREATE TABLE _mailroom.folders (
    operator_id   VARCHAR NOT NULL,
    folder_key    UHUGEINT NOT NULL,
    folder_id     VARCHAR NOT NULL,
    name          VARCHAR NOT NULL,
    token         VARCHAR,
    drained       BOOLEAN NOT NULL,
    reconciling   BOOLEAN NOT NULL,
    empty_seen_at TIMESTAMPTZ,
    relisted      BOOLEAN NOT NULL
);

CREATE TABLE _mailroom.pending_pages (
    operator_id VARCHAR NOT NULL,
    page_key    UHUGEINT NOT NULL,
    folder_key  UHUGEINT NOT NULL,
    page_id     VARCHAR NOT NULL,
    folder_id   VARCHAR NOT NULL,
    item_ids    VARCHAR[] NOT NULL,
    items       INTEGER NOT NULL,
    newest_at   TIMESTAMPTZ
);

CREATE TABLE _mailroom.quarantined (
    operator_id     VARCHAR NOT NULL,
    item_key        UHUGEINT NOT NULL,
    folder_key      UHUGEINT NOT NULL,
    folder_id       VARCHAR NOT NULL,
    item_id         VARCHAR NOT NULL,
    code            VARCHAR NOT NULL,
    reason          VARCHAR NOT NULL,
    attempts        INTEGER NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    since           TIMESTAMPTZ NOT NULL
);

-- Ids a reconciling drain has listed so far.
CREATE TABLE _mailroom.seen (
    folder_key UHUGEINT NOT NULL,
    item_key   UHUGEINT NOT NULL
);

-- Rows that were deleted lately, so that a create with the same Message-ID is known to be a move. No content.
CREATE TABLE _mailroom.departures (
    message_key     UHUGEINT NOT NULL,
    item_key        UHUGEINT NOT NULL,
    item_id         VARCHAR NOT NULL,
    first_landed_at TIMESTAMPTZ NOT NULL,
    deleted_at      TIMESTAMPTZ NOT NULL
);

CREATE TABLE _mailroom.emails (
    operator_id     VARCHAR NOT NULL,
    item_key        UHUGEINT NOT NULL,
    message_key     UHUGEINT,
    folder_id       VARCHAR NOT NULL,
    folder          VARCHAR NOT NULL,
    item_id         VARCHAR NOT NULL,
    change_key      VARCHAR,
    item_class      VARCHAR,
    subject         VARCHAR,
    sender_name     VARCHAR,
    sender_address  VARCHAR,
    to_recipients   STRUCT("name" VARCHAR, address VARCHAR)[],
    cc_recipients   STRUCT("name" VARCHAR, address VARCHAR)[],
    bcc_recipients  STRUCT("name" VARCHAR, address VARCHAR)[],
    sent_at         TIMESTAMPTZ,
    received_at     TIMESTAMPTZ,
    modified_at     TIMESTAMPTZ,
    message_id      VARCHAR,
    conversation_id VARCHAR,
    in_reply_to     VARCHAR,
    "references"    VARCHAR,
    -- zstd from the start: finding that out by trying every method costs a checkpoint more than compressing does.
    body_text       VARCHAR USING COMPRESSION zstd,
    body_html       VARCHAR USING COMPRESSION zstd,
    is_read         BOOLEAN,
    importance      VARCHAR,
    sensitivity     VARCHAR,
    has_attachments BOOLEAN,
    "size"          BIGINT,
    categories      VARCHAR[],
    landed_at       TIMESTAMPTZ NOT NULL,
    deleted_at      TIMESTAMPTZ,
    first_landed_at TIMESTAMPTZ NOT NULL,
    moved_from      VARCHAR,
    -- change_key came with a read flag: it is newer than the content, so it must not make a fetched item look landed.
    content_behind  BOOLEAN NOT NULL
);

CREATE TABLE _mailroom.attachments (
    operator_id   VARCHAR NOT NULL,
    item_key      UHUGEINT NOT NULL,
    item_id       VARCHAR NOT NULL,
    attachment_id VARCHAR,
    "name"        VARCHAR,
    content_type  VARCHAR,
    content_id    VARCHAR,
    "size"        BIGINT,
    is_inline     BOOLEAN,
    is_item       BOOLEAN
);

CREATE TABLE _mailroom.associations (
    operator_id   VARCHAR NOT NULL,
    item_id       VARCHAR NOT NULL,
    record_kind   VARCHAR NOT NULL,
    record_id     VARCHAR NOT NULL,
    rule          VARCHAR NOT NULL,
    address       VARCHAR,
    associated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE _mailroom.crm_records (
    kind       VARCHAR NOT NULL,
    record_id  VARCHAR NOT NULL,
    name       VARCHAR,
    email      VARCHAR,
    domain     VARCHAR,
    account_id VARCHAR,
    owner_id   VARCHAR,
    fields     JSON,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE _mailroom.job_runs (
    job         VARCHAR NOT NULL,
    run_id      VARCHAR NOT NULL,
    started_at  TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    outcome     VARCHAR,
    operators   BIGINT,
    emails      BIGINT,
    failures    BIGINT,
    message     VARCHAR
);

-- The words of engine.failures, refilled at every opening.
CREATE TABLE _mailroom.failure_words (
    code   VARCHAR NOT NULL,
    cause  VARCHAR NOT NULL,
    remedy VARCHAR NOT NULL
);
