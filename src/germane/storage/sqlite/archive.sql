-- The archive: which file holds which records. It came with version 4.
CREATE TABLE archived (
    file TEXT PRIMARY KEY, month TEXT NOT NULL, first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL, rows INTEGER NOT NULL, sha256 TEXT NOT NULL,
    since TEXT NOT NULL -- the month in which they retired
) WITHOUT ROWID;
