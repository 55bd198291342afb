-- One file holds the log and all state, so that one transaction covers both (law 2).
CREATE TABLE log (
    seq INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    slot INTEGER NOT NULL,
    person TEXT NOT NULL,
    kind TEXT NOT NULL,
    message_id TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    received_ms INTEGER NOT NULL,
    body BLOB NOT NULL,
    derived BLOB NOT NULL
);
-- key: 16-byte BLAKE2b of tenant and message id. Kept when the record itself is sealed.
CREATE TABLE dedupe (key BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE slot_offset (slot INTEGER PRIMARY KEY, seq INTEGER NOT NULL);
CREATE TABLE identity (
    tenant TEXT NOT NULL, external TEXT NOT NULL, person TEXT NOT NULL,
    PRIMARY KEY (tenant, external)
) WITHOUT ROWID;
CREATE TABLE item (
    tenant TEXT NOT NULL, item_id TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (tenant, item_id)
) WITHOUT ROWID;
-- Where the decision's record is: its body is there and nowhere else.
CREATE TABLE decision (key BLOB PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE dead_letter (
    letter_id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_ms INTEGER NOT NULL,
    source TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    body BLOB NOT NULL,
    replayed_ms INTEGER,
    dismissed_ms INTEGER
);
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
-- Sealed history: which file holds which records.
CREATE TABLE sealed (
    file TEXT PRIMARY KEY, month TEXT NOT NULL, first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL, rows INTEGER NOT NULL, sha256 TEXT NOT NULL
) WITHOUT ROWID;
