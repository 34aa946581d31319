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
    e.item_class, e.folder_id, e.first_landed_at, e.moved_from,
    len(e.address_keys) > (SELECT mass_mail_over FROM _mailroom.association_rules) AS mass_mail
FROM _mailroom.emails AS e LEFT JOIN _mailroom.operators AS o ON o.operator_id = e.operator_id;

CREATE OR REPLACE VIEW main.emails AS
SELECT * FROM main.all_emails WHERE deleted_at IS NULL;

CREATE OR REPLACE VIEW main.attachments AS
SELECT operator_id, item_id, attachment_id, "name", content_type, content_id, "size", is_inline, is_item
FROM _mailroom.attachments;

-- What emails hand on in their conversations: for each key, the earliest email directly associated with each record.
-- A key with more than 50 records of a kind hands on none of it.
CREATE OR REPLACE VIEW _mailroom.handed_on AS
WITH direct AS (
    SELECT
        e.root_key, e.conversation_key, e.own_key, a.record_kind, a.record_id,
        struct_pack(
            moment := coalesce(e.received_at, e.sent_at), operator_id := a.operator_id, item_id := a.item_id,
            address := a.address, associated_at := a.associated_at) AS via
    FROM _mailroom.associations AS a JOIN _mailroom.emails AS e ON e.item_key = a.item_key
    WHERE (SELECT inherits FROM _mailroom.association_rules)
)
SELECT link, link_key, record_kind, record_id, min(via) AS via
FROM (
    SELECT 'root' AS link, root_key AS link_key, record_kind, record_id, via FROM direct
    UNION ALL SELECT 'conversation', conversation_key, record_kind, record_id, via FROM direct
    UNION ALL SELECT 'own', own_key, record_kind, record_id, via FROM direct
)
WHERE link_key IS NOT NULL
GROUP BY link, link_key, record_kind, record_id
QUALIFY count(*) OVER (PARTITION BY link, link_key, record_kind) <= 50;

-- What an email's own addresses lead to, and, for kinds of which they lead to none, what earlier emails of its
-- conversation are associated with.
CREATE OR REPLACE VIEW main.all_associations AS
SELECT
    a.operator_id, a.item_id, a.record_kind, a.record_id, a."rule", a.address, a.confidence, a.associated_at,
    NULL AS via_operator_id, NULL AS via_item_id, e.deleted_at
FROM _mailroom.associations AS a JOIN _mailroom.emails AS e ON e.item_key = a.item_key
UNION ALL
SELECT
    i.operator_id, i.item_id, i.record_kind, i.record_id, 'conversation', i.via.address, 0.5,
    greatest(i.via.associated_at, i.landed_at), i.via.operator_id, i.via.item_id, i.deleted_at
FROM (
    SELECT
        c.item_key, c.operator_id, c.item_id, c.landed_at, c.deleted_at, c.record_kind, c.record_id, min(c.via) AS via
    FROM (
        SELECT e.item_key, e.operator_id, e.item_id, e.landed_at, e.deleted_at, h.record_kind, h.record_id, h.via
        FROM _mailroom.emails AS e JOIN _mailroom.handed_on AS h ON h.link = 'root' AND h.link_key = e.root_key
        WHERE h.via.moment < coalesce(e.received_at, e.sent_at)
        UNION ALL
        SELECT e.item_key, e.operator_id, e.item_id, e.landed_at, e.deleted_at, h.record_kind, h.record_id, h.via
        FROM _mailroom.emails AS e
        JOIN _mailroom.handed_on AS h ON h.link = 'conversation' AND h.link_key = e.conversation_key
        WHERE h.via.moment < coalesce(e.received_at, e.sent_at)
        UNION ALL
        SELECT e.item_key, e.operator_id, e.item_id, e.landed_at, e.deleted_at, h.record_kind, h.record_id, h.via
        FROM (
            SELECT item_key, operator_id, item_id, landed_at, deleted_at, unnest(ancestor_keys) AS ancestor_key
            FROM _mailroom.emails WHERE len(ancestor_keys) > 0
        ) AS e
        JOIN _mailroom.handed_on AS h ON h.link = 'own' AND h.link_key = e.ancestor_key
    ) AS c
    WHERE NOT EXISTS (
        FROM _mailroom.associations AS d WHERE d.item_key = c.item_key AND d.record_kind = c.record_kind
    )
    GROUP BY ALL
) AS i;

CREATE OR REPLACE VIEW main.associations AS
SELECT * EXCLUDE (deleted_at) FROM main.all_associations WHERE deleted_at IS NULL;

-- Conversations across mailboxes. Emails belong together by the message theirs began with, or by Exchange's own
-- conversation in one mailbox; labels pass both ways three times, which joins all but the longest chains of both.
CREATE OR REPLACE VIEW _mailroom.threaded AS
WITH labelled AS (
    SELECT item_key, root_key, conversation_key, coalesce(root_key, conversation_key, md5_number_lower(item_key::VARCHAR)) AS label
    FROM _mailroom.emails WHERE deleted_at IS NULL
),
once AS (SELECT * EXCLUDE (label), min(label) OVER (PARTITION BY coalesce(conversation_key, label)) AS label FROM labelled),
twice AS (SELECT * EXCLUDE (label), min(label) OVER (PARTITION BY coalesce(root_key, label)) AS label FROM once)
SELECT item_key, format('{:016x}', min(label) OVER (PARTITION BY coalesce(conversation_key, label))) AS thread_id FROM twice;

CREATE OR REPLACE VIEW main.thread_emails AS
SELECT
    t.thread_id, e.operator_id, e.item_id, e.message_id, coalesce(e.received_at, e.sent_at) AS "at", e.sender_address,
    e.subject, e.folder
FROM _mailroom.threaded AS t JOIN _mailroom.emails AS e ON e.item_key = t.item_key;

-- emails: messages, a message that several mailboxes have counted once; copies: all of them.
CREATE OR REPLACE VIEW main.threads AS
SELECT
    thread_id, arg_min(subject, "at") AS subject, min("at") AS first_at, max("at") AS last_at,
    count(DISTINCT coalesce(nullif(message_id, ''), operator_id || chr(31) || item_id)) AS emails, count(*) AS copies,
    list_sort(list(DISTINCT operator_id)) AS operators
FROM main.thread_emails GROUP BY thread_id;

-- Each message of a conversation once, with everybody who has it; what is said of it is as the first of them has it.
CREATE OR REPLACE VIEW main.thread_messages AS
SELECT
    thread_id, any_value(nullif(message_id, '')) AS message_id, min("at") AS "at",
    arg_min(sender_address, (operator_id, item_id)) AS sender_address,
    arg_min(subject, (operator_id, item_id)) AS subject,
    list(
        struct_pack(operator_id := operator_id, item_id := item_id, folder := folder) ORDER BY operator_id, item_id
    ) AS copies
FROM main.thread_emails
GROUP BY thread_id, coalesce(nullif(message_id, ''), operator_id || chr(31) || item_id);

-- Addresses that lead to several records of a kind, the most frequent first.
CREATE OR REPLACE VIEW main.ambiguous_matches AS
SELECT
    lower(d.address) AS address, d.record_kind, d."rule", d.candidates, count(*) AS emails,
    max(coalesce(e.received_at, e.sent_at)) AS last_at
FROM _mailroom.ambiguities AS d JOIN _mailroom.emails AS e ON e.item_key = d.item_key
WHERE e.deleted_at IS NULL GROUP BY ALL ORDER BY emails DESC, address;

-- One spelling for those of an address that people meet; engine.crm.keys knows more of them.
CREATE OR REPLACE MACRO _mailroom.bare(address) AS
    lower(trim(CASE
        WHEN contains(address, ':') OR contains(address, '<')
        THEN regexp_replace(trim(address), '^((smtp|mailto):)?<?|>$', '', 'gi')
        ELSE address
    END));
CREATE OR REPLACE MACRO _mailroom.untagged(address) AS regexp_replace(address, '^([^+@]+)\+[^@]*@', '\1@');

-- Addresses that the CRM has in no spelling, nor their domain where domains lead anywhere; the most frequent first.
-- Left out are our own, and the recipients of mass mail. What has led somewhere is known, however it is spelled.
CREATE OR REPLACE VIEW main.unmatched_addresses AS
WITH rules AS (FROM _mailroom.association_rules),
given AS (
    SELECT
        item_key, operator_id, item_id, coalesce(received_at, sent_at) AS "at", sender_name AS "name",
        sender_address AS address
    FROM _mailroom.emails WHERE deleted_at IS NULL
    UNION ALL
    SELECT item_key, operator_id, item_id, "at", who."name", who.address
    FROM (
        SELECT
            item_key, operator_id, item_id, coalesce(received_at, sent_at) AS "at",
            unnest(list_concat(to_recipients, list_concat(cc_recipients, bcc_recipients))) AS who
        FROM _mailroom.emails, rules WHERE deleted_at IS NULL AND len(address_keys) <= mass_mail_over
    )
),
met AS (
    SELECT
        _mailroom.bare(address) AS address, arg_max("name", "at") FILTER (trim("name") <> '') AS "name",
        count(DISTINCT item_key) AS emails, max("at") AS last_at,
        arg_max(struct_pack(operator_id, item_id), (coalesce("at", '-infinity'::TIMESTAMPTZ), item_key)) AS latest
    FROM given WHERE contains(address, '@') GROUP BY _mailroom.bare(address)
)
SELECT address, "name", emails, last_at, latest.operator_id AS operator_id, latest.item_id AS item_id
FROM (SELECT *, split_part(address, '@', -1) AS "domain" FROM met), rules
WHERE NOT list_contains(own_domains, "domain")
  AND address NOT IN (SELECT _mailroom.bare(email) FROM _mailroom.operators)
  AND _mailroom.untagged(address) NOT IN (
    SELECT _mailroom.untagged(_mailroom.bare(address)) FROM _mailroom.crm_addresses
  )
  AND NOT (
    by_domain AND NOT list_contains(free_mail, "domain")
    AND "domain" IN (SELECT lower("domain") FROM _mailroom.crm_domains)
  )
  AND address NOT IN (
    SELECT _mailroom.bare(address) FROM _mailroom.associations
    UNION ALL SELECT _mailroom.bare(address) FROM _mailroom.ambiguities
  )
ORDER BY emails DESC, address;

CREATE OR REPLACE VIEW main.crm_records AS
SELECT
    kind, record_id, "name", addresses[1] AS email, addresses, domains, "owner", account_id, stage, is_open,
    contact_ids, active_at, updated_at
FROM _mailroom.crm_records;

CREATE OR REPLACE VIEW main.job_runs AS
SELECT
    job, run_id, "trigger", started_at, finished_at, epoch_us(finished_at - started_at) / 1e6 AS seconds, outcome,
    operators, done, failed, emails, subscriptions, message, pending
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

-- What was not let in, by reason; of whom an erasure was about nothing is said. What has come in since has a row.
CREATE OR REPLACE VIEW main.kept_out AS
SELECT operator_id, reason, count(*) AS emails
FROM _mailroom.kept_out
WHERE reason <> 'erased' AND item_key NOT IN (SELECT item_key FROM _mailroom.emails)
GROUP BY operator_id, reason;
