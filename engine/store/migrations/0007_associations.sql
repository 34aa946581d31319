-- CRM records, what emails are found by, associations, and what a policy keeps out.
--
-- Keys are 64 bits here: of addresses and domains engine.crm.keys makes them (never SQL), of Message-IDs and
-- conversations md5_number_lower does.

-- Nothing has ever written the first version's tables.
DROP TABLE _mailroom.associations;
DROP TABLE _mailroom.crm_records;

CREATE TABLE _mailroom.crm_records (
    kind        VARCHAR NOT NULL,
    record_id   VARCHAR NOT NULL,
    record_key  UBIGINT NOT NULL,
    "name"      VARCHAR NOT NULL,
    addresses   VARCHAR[] NOT NULL,
    domains     VARCHAR[] NOT NULL,
    "owner"     VARCHAR NOT NULL,
    account_id  VARCHAR NOT NULL,
    stage       VARCHAR NOT NULL,
    is_open     BOOLEAN NOT NULL,
    contact_ids VARCHAR[] NOT NULL,
    active_at   TIMESTAMPTZ,
    updated_at  TIMESTAMPTZ
);

-- One row an address of a contact, lead, account or organization.
CREATE TABLE _mailroom.crm_addresses (
    address_key UBIGINT NOT NULL,
    record_key  UBIGINT NOT NULL,
    kind        VARCHAR NOT NULL,
    record_id   VARCHAR NOT NULL,
    address     VARCHAR NOT NULL,
    account_id  VARCHAR NOT NULL
);

-- One row a domain of an account or organization.
CREATE TABLE _mailroom.crm_domains (
    domain_key UBIGINT NOT NULL,
    record_key UBIGINT NOT NULL,
    kind       VARCHAR NOT NULL,
    record_id  VARCHAR NOT NULL,
    "domain"   VARCHAR NOT NULL
);

-- One row an account or organization, and one a contact and company of an opportunity: few, so that a landing finds
-- them without looking through all records. link_key: that of engine.crm.keys, of the contact or the company.
CREATE TABLE _mailroom.crm_companies (
    record_key UBIGINT NOT NULL,
    record_id  VARCHAR NOT NULL,
    kind       VARCHAR NOT NULL
);
CREATE TABLE _mailroom.crm_roles (
    link_key    UBIGINT NOT NULL,
    record_key  UBIGINT NOT NULL,
    record_id   VARCHAR NOT NULL,
    "owner"     VARCHAR NOT NULL,
    is_open     BOOLEAN NOT NULL,
    active_at   TIMESTAMPTZ,
    account_id  VARCHAR NOT NULL,
    contact_ids VARCHAR[] NOT NULL
);

-- Which address and domain keys CRM changes have touched since the queue below was last filled.
CREATE TABLE _mailroom.crm_changes (lookup_key UBIGINT NOT NULL);

-- Landed emails whose associations are to be found anew.
CREATE TABLE _mailroom.to_associate (item_key UHUGEINT NOT NULL);

-- What has been associated anew lately, a row a step: the progress of a run of AssociateEmails.
CREATE TABLE _mailroom.association_steps ("at" TIMESTAMPTZ NOT NULL, emails INTEGER NOT NULL);
ALTER TABLE _mailroom.job_runs ADD COLUMN pending INTEGER DEFAULT 0;

-- One row: the rules (JSON) by which what is not in the queue has been associated.
CREATE TABLE _mailroom.association_basis (document VARCHAR NOT NULL);

-- One row: what of it the views need to know.
CREATE TABLE _mailroom.association_rules (
    kinds          VARCHAR[] NOT NULL,
    inherits       BOOLEAN NOT NULL,
    mass_mail_over INTEGER NOT NULL,
    by_domain      BOOLEAN NOT NULL,
    own_domains    VARCHAR[] NOT NULL,
    free_mail      VARCHAR[] NOT NULL
);
INSERT INTO _mailroom.association_rules
VALUES (['account', 'contact', 'lead', 'opportunity', 'organization'], true, 50, true, [], []);

-- What an email's own addresses lead to; what it inherits from its conversation is the views' to say.
CREATE TABLE _mailroom.associations (
    item_key      UHUGEINT NOT NULL,
    operator_id   VARCHAR NOT NULL,
    item_id       VARCHAR NOT NULL,
    record_kind   VARCHAR NOT NULL,
    record_id     VARCHAR NOT NULL,
    "rule"        VARCHAR NOT NULL,
    address       VARCHAR NOT NULL,
    confidence    DOUBLE NOT NULL,
    associated_at TIMESTAMPTZ NOT NULL
);

-- Addresses that lead to several records of a kind, so to none.
CREATE TABLE _mailroom.ambiguities (
    item_key    UHUGEINT NOT NULL,
    operator_id VARCHAR NOT NULL,
    item_id     VARCHAR NOT NULL,
    record_kind VARCHAR NOT NULL,
    "rule"      VARCHAR NOT NULL,
    address     VARCHAR NOT NULL,
    candidates  VARCHAR[] NOT NULL
);

-- Of every distinct address and domain of an email, as engine.crm.keys has them; NULL: not yet known.
ALTER TABLE _mailroom.emails ADD COLUMN address_keys UBIGINT[];
ALTER TABLE _mailroom.emails ADD COLUMN domain_keys UBIGINT[];
-- Of its Message-ID, of the first message its References (or In-Reply-To) name, else its own; of its conversation in
-- this mailbox; of every message it refers to.
ALTER TABLE _mailroom.emails ADD COLUMN own_key UBIGINT;
ALTER TABLE _mailroom.emails ADD COLUMN root_key UBIGINT;
ALTER TABLE _mailroom.emails ADD COLUMN conversation_key UBIGINT;
ALTER TABLE _mailroom.emails ADD COLUMN ancestor_keys UBIGINT[];
UPDATE _mailroom.emails SET
    own_key = md5_number_lower(nullif(
        coalesce(nullif(regexp_extract(message_id, '<[^<>\s]+>'), ''), trim(message_id)), '')),
    conversation_key = md5_number_lower(operator_id || chr(31) || nullif(conversation_id, '')),
    ancestor_keys = list_transform(
        list_distinct(regexp_extract_all(concat_ws(' ', "references", in_reply_to), '<[^<>\s]+>')),
        lambda one: md5_number_lower(one));
UPDATE _mailroom.emails SET root_key = coalesce(
    md5_number_lower(nullif(regexp_extract(concat_ws(' ', "references", in_reply_to), '<[^<>\s]+>'), '')), own_key);
INSERT INTO _mailroom.to_associate SELECT item_key FROM _mailroom.emails;

-- Why, and what it takes to fetch them should that be so no longer. Rows of before are erasures'.
ALTER TABLE _mailroom.kept_out ADD COLUMN reason VARCHAR DEFAULT 'erased';
ALTER TABLE _mailroom.kept_out ADD COLUMN operator_id VARCHAR;
ALTER TABLE _mailroom.kept_out ADD COLUMN folder_id VARCHAR;
ALTER TABLE _mailroom.kept_out ADD COLUMN item_id VARCHAR;

-- Of mail kept out because it concerns no known record: the keys of its addresses and domains.
CREATE TABLE _mailroom.kept_out_keys (item_key UHUGEINT NOT NULL, lookup_key UBIGINT NOT NULL);

-- One row: the policy (JSON) by which mail was kept out until now.
CREATE TABLE _mailroom.policy_basis (document VARCHAR NOT NULL);

-- What is stricter for one operator than for all. document: JSON, with the keys of the settings.
CREATE TABLE _mailroom.operator_policies (
    operator_id VARCHAR NOT NULL,
    document    VARCHAR NOT NULL,
    changed_at  TIMESTAMPTZ NOT NULL,
    changed_by  VARCHAR NOT NULL
);

CREATE TABLE _mailroom.purges (
    purge_id        VARCHAR NOT NULL,
    "at"            TIMESTAMPTZ NOT NULL,
    "by"            VARCHAR NOT NULL,
    reasons         STRUCT(reason VARCHAR, operator_id VARCHAR, emails BIGINT)[] NOT NULL,
    rewritten_at    TIMESTAMPTZ,
    rewrite_problem VARCHAR
);
