-- The Application Settings in versions: the highest rules. Changes and documents are JSON.

CREATE TABLE _mailroom.settings_history (
    version     INTEGER NOT NULL,
    changed_at  TIMESTAMPTZ NOT NULL,
    changed_by  VARCHAR NOT NULL,
    changes     VARCHAR NOT NULL,
    document    VARCHAR NOT NULL,
    -- Every subscription that was made before is to be replaced.
    resubscribe BOOLEAN NOT NULL
);

-- One row: what the configuration said when it was last read, so that an edit of it is told from one made elsewhere.
CREATE TABLE _mailroom.settings_file (document VARCHAR NOT NULL);
