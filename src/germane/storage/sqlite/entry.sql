-- Content, campaigns, who is in them, messages, approvals: found by key, by person, by when they are due. With
-- row numbers, as people have them, since version 6: a message of 1.3 kB took a page of its own.
CREATE TABLE entry (
    tenant TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, person TEXT NOT NULL,
    topic TEXT NOT NULL, status TEXT NOT NULL, due_ms INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (tenant, kind, key)
);
CREATE INDEX entry_due ON entry (tenant, kind, due_ms, key) WHERE due_ms > 0;
CREATE INDEX entry_person ON entry (tenant, person, kind, key) WHERE person <> '';
CREATE INDEX entry_topic ON entry (tenant, kind, topic, status, key);
