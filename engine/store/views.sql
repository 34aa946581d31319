-- What people query: DESIGN section 8. Replaced at every opening, so they need no migrations.

CREATE OR REPLACE VIEW main.operators AS
SELECT operator_id, email, name, email_sync FROM _mailroom.operators;

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

CREATE OR REPLACE VIEW main.job_runs AS SELECT * FROM _mailroom.job_runs;

CREATE OR REPLACE VIEW main.mailboxes AS
SELECT
    m.operator_id, o.email AS operator_email, m.status, m.window_start, m.last_success_at, m.next_sync_at,
    m.failing_since, m.attempts, m.error_code, m.error, m.error_at,
    coalesce(f.folders, 0) AS folders, coalesce(f.drained, 0) AS folders_drained,
    coalesce(p.items, 0)::BIGINT AS pending, coalesce(q.items, 0) AS quarantined
FROM _mailroom.mailboxes AS m
LEFT JOIN _mailroom.operators AS o ON o.operator_id = m.operator_id
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
    s.created_at, s.heard_at, s.next_attempt_at, s.error_code, s.error
FROM _mailroom.subscriptions AS s LEFT JOIN _mailroom.operators AS o ON o.operator_id = s.operator_id;

CREATE OR REPLACE VIEW main.failures AS
SELECT
    t.operator_id, o.email AS operator_email, t.folder, t.item_id, t.code,
    coalesce(w.cause, t.other_cause) AS cause, coalesce(w.remedy, t.other_remedy) AS remedy,
    t.message, t.since, t.attempts, t.next_attempt_at, t.kind
FROM (
    SELECT
        m.operator_id, NULL AS folder, NULL AS item_id, m.error_code AS code, m.error AS message,
        m.failing_since AS since, m.attempts, m.next_sync_at AS next_attempt_at, 'mailbox' AS kind,
        d.cause AS other_cause, d.remedy AS other_remedy
    FROM _mailroom.mailboxes AS m, _mailroom.failure_words AS d
    WHERE m.status IN ('failing', 'failed') AND m.error_code IS NOT NULL AND d.code = 'INTERNAL'
    UNION ALL
    SELECT
        s.operator_id, NULL, NULL, s.error_code, s.error, s.created_at, NULL, s.next_attempt_at, 'subscription',
        d.cause, d.remedy
    FROM _mailroom.subscriptions AS s, _mailroom.failure_words AS d
    WHERE s.status <> 'active' AND s.error_code IS NOT NULL AND d.code = 'INTERNAL'
    UNION ALL
    SELECT
        q.operator_id, coalesce(f.name, q.folder_id), q.item_id, q.code, q.reason, q.since, q.attempts,
        q.next_attempt_at, 'item', d.cause, d.remedy
    FROM _mailroom.quarantined AS q
    LEFT JOIN _mailroom.folders AS f ON f.folder_key = q.folder_key
    CROSS JOIN _mailroom.failure_words AS d
    WHERE d.code = 'ITEM_UNREADABLE'
) AS t
JOIN _mailroom.operators AS o ON o.operator_id = t.operator_id AND o.email_sync
LEFT JOIN _mailroom.failure_words AS w ON w.code = t.code;
