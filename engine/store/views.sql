-- What people query: DESIGN section 8. Replaced at every opening, so they need no migrations.

-- A subscription that is active and has not been silent for 2 x StatusFrequency (minutes).
CREATE OR REPLACE MACRO _mailroom.is_live(status, heard_at, created_at, status_frequency, moment) AS (
    status = 'active'
    AND epoch_us(moment) - epoch_us(greatest(coalesce(heard_at, created_at), coalesce(created_at, heard_at)))
        <= status_frequency::BIGINT * 120_000_000
);

-- One that took the place of one never heard, and has not been heard either: Exchange does not reach the listener.
CREATE OR REPLACE MACRO _mailroom.is_unreachable(status, heard_at, created_at, unheard) AS (
    status = 'active' AND unheard >= 1 AND (heard_at IS NULL OR coalesce(heard_at <= created_at, false))
);

-- As mailboxes are: state and error of an operator's mailbox, and what is to be done.
CREATE OR REPLACE VIEW main.operators AS
SELECT
    o.operator_id, o.email, o.name, o.email_sync, m.status, m.last_success_at, m.next_sync_at, m.error_code,
    coalesce(w.cause, d.cause) AS cause, coalesce(w.remedy, d.remedy) AS remedy,
    coalesce(p.items, 0)::BIGINT AS pending
FROM _mailroom.operators AS o
LEFT JOIN _mailroom.mailboxes AS m ON m.operator_id = o.operator_id
LEFT JOIN _mailroom.failure_words AS w ON m.status IN ('failing', 'failed') AND w.code = m.error_code
LEFT JOIN _mailroom.failure_words AS d
    ON m.status IN ('failing', 'failed') AND m.error_code IS NOT NULL AND d.code = 'INTERNAL'
LEFT JOIN (
    SELECT operator_id, sum(items) AS items FROM _mailroom.pending_pages GROUP BY operator_id
) AS p ON p.operator_id = o.operator_id;

CREATE OR REPLACE VIEW main.all_emails AS
SELECT
    e.operator_id, o.email AS operator_email, e.item_id, e.change_key, e.folder, e.subject, e.sender_name,
    e.sender_address, e.to_recipients, e.cc_recipients, e.bcc_recipients, e.sent_at, e.received_at, e.modified_at,
    e.landed_at, e.deleted_at, e.message_id, e.conversation_id, e.in_reply_to, e."references", e.body_text,
    e.body_html, e.is_read, e.importance, e.sensitivity, e.has_attachments, e."size", e.categories,
    e.item_class, e.folder_id, e.first_landed_at, e.moved_from
FROM _mailroom.emails AS e LEFT JOIN _mailroom.operators AS o ON o.operator_id = e.operator_id;

CREATE OR REPLACE VIEW main.emails AS
SELECT * FROM main.all_emails WHERE deleted_at IS NULL;

CREATE OR REPLACE VIEW main.attachments AS
SELECT operator_id, item_id, attachment_id, "name", content_type, content_id, "size", is_inline, is_item
FROM _mailroom.attachments;

CREATE OR REPLACE VIEW main.associations AS SELECT * FROM _mailroom.associations;

CREATE OR REPLACE VIEW main.crm_records AS SELECT * FROM _mailroom.crm_records;

CREATE OR REPLACE VIEW main.job_runs AS
SELECT
    job, run_id, "trigger", started_at, finished_at, epoch_us(finished_at - started_at) / 1e6 AS seconds, outcome,
    operators, done, failed, emails, subscriptions, message
FROM _mailroom.job_runs;

CREATE OR REPLACE VIEW main.mailboxes AS
SELECT
    m.operator_id, o.email AS operator_email, m.status, m.window_start, m.last_success_at, m.next_sync_at,
    m.failing_since, m.attempts, m.error_code, m.error, m.error_at,
    coalesce(w.cause, d.cause) AS cause, coalesce(w.remedy, d.remedy) AS remedy,
    coalesce(f.folders, 0) AS folders, coalesce(f.drained, 0) AS folders_drained,
    coalesce(p.items, 0)::BIGINT AS pending, coalesce(q.items, 0) AS quarantined
FROM _mailroom.mailboxes AS m
LEFT JOIN _mailroom.operators AS o ON o.operator_id = m.operator_id
LEFT JOIN _mailroom.failure_words AS w ON m.status IN ('failing', 'failed') AND w.code = m.error_code
LEFT JOIN _mailroom.failure_words AS d
    ON m.status IN ('failing', 'failed') AND m.error_code IS NOT NULL AND d.code = 'INTERNAL'
LEFT JOIN (
    SELECT operator_id, count(*) AS folders, count(*) FILTER (drained) AS drained
    FROM _mailroom.folders GROUP BY operator_id
) AS f ON f.operator_id = m.operator_id
LEFT JOIN (
    SELECT operator_id, sum(items) AS items FROM _mailroom.pending_pages GROUP BY operator_id
) AS p ON p.operator_id = m.operator_id
LEFT JOIN (
    SELECT operator_id, count(*) AS items FROM _mailroom.quarantined GROUP BY operator_id
) AS q ON q.operator_id = m.operator_id;

-- Without the callback URL: it carries the token that authenticates Exchange.
CREATE OR REPLACE VIEW main.subscriptions AS
SELECT
    s.operator_id, o.email AS operator_email, s.serial, s.status, s.status_frequency, s.subscription_id, s.watermark,
    s.created_at, s.heard_at, s.next_attempt_at, s.error_code, s.error, s.unheard,
    coalesce(
        _mailroom.is_live(s.status, s.heard_at, s.created_at, s.status_frequency, now())
        AND NOT _mailroom.is_unreachable(s.status, s.heard_at, s.created_at, s.unheard),
        false
    ) AS live
FROM _mailroom.subscriptions AS s LEFT JOIN _mailroom.operators AS o ON o.operator_id = s.operator_id;

CREATE OR REPLACE VIEW main.alerts AS
SELECT
    a.alert_id, a.code, coalesce(w.cause, d.cause) AS cause, a.status, a.opened_at, a.reported_at, a.closed_at,
    len(a.operators) AS operators, coalesce(m.sent, 0) AS mails_sent, coalesce(m.waiting, 0) AS mails_waiting,
    m.last_error
FROM _mailroom.alerts AS a
LEFT JOIN _mailroom.failure_words AS w ON w.code = a.code
LEFT JOIN _mailroom.failure_words AS d ON d.code = 'INTERNAL'
LEFT JOIN (
    SELECT
        alert_id, count(sent_at) FILTER (len(recipients) > 0) AS sent, count(*) - count(sent_at) AS waiting,
        arg_max(error, created_at) FILTER (error IS NOT NULL) AS last_error
    FROM _mailroom.outbox GROUP BY alert_id
) AS m ON m.alert_id = a.alert_id;

CREATE OR REPLACE VIEW main.failures AS
SELECT
    t.operator_id, o.email AS operator_email, t.folder, t.item_id, t.code,
    coalesce(w.cause, d.cause) AS cause, coalesce(w.remedy, d.remedy) AS remedy,
    t.message, t.since, t.attempts, t.next_attempt_at, t.kind, t.state
FROM (
    SELECT
        operator_id, NULL AS folder, NULL AS item_id, error_code AS code, error AS message,
        failing_since AS since, attempts, next_sync_at AS next_attempt_at, 'mailbox' AS kind, status AS state,
        'INTERNAL' AS otherwise
    FROM _mailroom.mailboxes
    WHERE status IN ('failing', 'failed') AND error_code IS NOT NULL
    UNION ALL
    SELECT
        operator_id, NULL, NULL, error_code, error,
        greatest(coalesce(heard_at, created_at), coalesce(created_at, heard_at)), NULL, next_attempt_at,
        'subscription', 'failed', 'INTERNAL'
    FROM _mailroom.subscriptions
    WHERE status <> 'active' AND error_code IS NOT NULL
    UNION ALL
    SELECT
        operator_id, NULL, NULL, 'LISTENER_UNREACHABLE',
        format(
            'Exchange has not reached the notification URL through this subscription, nor through {} before it.',
            unheard
        ),
        created_at, NULL, next_attempt_at, 'subscription', 'unreachable', 'INTERNAL'
    FROM _mailroom.subscriptions
    WHERE _mailroom.is_unreachable(status, heard_at, created_at, unheard)
    UNION ALL
    SELECT
        q.operator_id, coalesce(f.name, q.folder_id), q.item_id, q.code, q.reason, q.since, q.attempts,
        q.next_attempt_at, 'item', 'quarantined', 'ITEM_UNREADABLE'
    FROM _mailroom.quarantined AS q
    LEFT JOIN _mailroom.folders AS f ON f.folder_key = q.folder_key
) AS t
JOIN _mailroom.operators AS o ON o.operator_id = t.operator_id AND o.email_sync
LEFT JOIN _mailroom.failure_words AS w ON w.code = t.code
LEFT JOIN _mailroom.failure_words AS d ON d.code = t.otherwise;
