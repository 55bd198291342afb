-- Content, campaigns, who is in them, messages, approvals: found by key, by person, by when they are due.
CREATE TABLE entry (
    tenant TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, person TEXT NOT NULL,
    topic TEXT NOT NULL, status TEXT NOT NULL, due_ms INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (tenant, kind, key)
) WITHOUT ROWID;
CREATE INDEX entry_due ON entry (tenant, kind, due_ms, key) WHERE due_ms > 0;
CREATE INDEX entry_person ON entry (tenant, person, kind) WHERE person <> '';
CREATE INDEX entry_topic ON entry (tenant, kind, topic, status);
