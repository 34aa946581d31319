-- What the configuration said of operators at the last seeding, so that an edit of it is told from one made elsewhere.
CREATE TABLE _mailroom.operators_in_file (
    operator_id VARCHAR NOT NULL,
    email       VARCHAR NOT NULL,
    name        VARCHAR NOT NULL,
    email_sync  BOOLEAN NOT NULL
);

-- Until now operators came from the file alone.
INSERT INTO _mailroom.operators_in_file SELECT operator_id, email, name, email_sync FROM _mailroom.operators;
