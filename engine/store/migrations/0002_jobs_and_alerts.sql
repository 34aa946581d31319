-- Jobs with their runs, alerts with the mail they lead to.

-- file_*: what the configuration said at the last seeding, so that an edit of it is told from one made elsewhere.
CREATE TABLE _mailroom.jobs (
    name              VARCHAR NOT NULL,
    enabled           BOOLEAN NOT NULL,
    every             VARCHAR NOT NULL,
    timezone          VARCHAR NOT NULL,
    access_group      VARCHAR NOT NULL,
    last_run_at       TIMESTAMPTZ,
    file_enabled      BOOLEAN NOT NULL,
    file_every        VARCHAR NOT NULL,
    file_timezone     VARCHAR NOT NULL,
    file_access_group VARCHAR NOT NULL
);

-- Nothing has ever written the first version's table.
DROP TABLE _mailroom.job_runs;

CREATE TABLE _mailroom.job_runs (
    run_id        VARCHAR NOT NULL,
    job           VARCHAR NOT NULL,
    "trigger"     VARCHAR NOT NULL,
    started_at    TIMESTAMPTZ NOT NULL,
    finished_at   TIMESTAMPTZ,
    outcome       VARCHAR NOT NULL,
    operators     INTEGER NOT NULL,
    done          INTEGER NOT NULL,
    failed        INTEGER NOT NULL,
    emails        INTEGER NOT NULL,
    subscriptions INTEGER NOT NULL,
    message       VARCHAR NOT NULL
);

CREATE TABLE _mailroom.alerts (
    alert_id    VARCHAR NOT NULL,
    code        VARCHAR NOT NULL,
    status      VARCHAR NOT NULL,
    opened_at   TIMESTAMPTZ NOT NULL,
    grown_at    TIMESTAMPTZ NOT NULL,
    operators   VARCHAR[] NOT NULL,
    reported    VARCHAR[] NOT NULL,
    quiet_since TIMESTAMPTZ,
    reported_at TIMESTAMPTZ,
    closed_at   TIMESTAMPTZ
);

CREATE TABLE _mailroom.outbox (
    mail_id         VARCHAR NOT NULL,
    alert_id        VARCHAR NOT NULL,
    recipients      VARCHAR[] NOT NULL,
    subject         VARCHAR NOT NULL,
    "text"          VARCHAR NOT NULL,
    html            VARCHAR NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    attempts        INTEGER NOT NULL,
    next_attempt_at TIMESTAMPTZ,
    sent_at         TIMESTAMPTZ,
    error           VARCHAR
);

ALTER TABLE _mailroom.subscriptions ADD COLUMN unheard INTEGER DEFAULT 0;

-- No time used to mean "at once"; it means "nothing of its own" now, and who was due stays so.
UPDATE _mailroom.mailboxes SET next_sync_at = now() WHERE next_sync_at IS NULL;
