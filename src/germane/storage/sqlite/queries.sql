-- name: add_record
INSERT INTO log (seq, tenant, slot, person, kind, message_id, at_ms, received_ms, body, derived)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
-- name: add_dedupe
INSERT OR IGNORE INTO dedupe (key, seq) VALUES (?, ?);
-- name: set_offset
INSERT INTO slot_offset (slot, seq) VALUES (?, ?)
ON CONFLICT (slot) DO UPDATE SET seq = excluded.seq;
-- name: put_profile
INSERT INTO profile (tenant, person, body) VALUES (?, ?, ?)
ON CONFLICT (tenant, person) DO UPDATE SET body = excluded.body;
-- name: drop_profile
DELETE FROM profile WHERE tenant = ? AND person = ?;
-- name: put_identity
INSERT INTO identity (tenant, external, person) VALUES (?, ?, ?)
ON CONFLICT (tenant, external) DO UPDATE SET person = excluded.person;
-- name: put_item
INSERT INTO item (tenant, item_id, body) VALUES (?, ?, ?)
ON CONFLICT (tenant, item_id) DO UPDATE SET body = excluded.body;
-- name: drop_item
DELETE FROM item WHERE tenant = ? AND item_id = ?;
-- name: put_entry
INSERT INTO entry (tenant, kind, key, person, topic, status, due_ms, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (tenant, kind, key) DO UPDATE SET person = excluded.person, topic = excluded.topic,
status = excluded.status, due_ms = excluded.due_ms, body = excluded.body;
-- name: drop_entry
DELETE FROM entry WHERE tenant = ? AND kind = ? AND key = ?;
-- name: add_decision
INSERT OR REPLACE INTO decision (key, seq) VALUES (?, ?);
-- name: add_letter
INSERT INTO dead_letter (received_ms, source, code, message, body) VALUES (?, ?, ?, ?, ?);
-- name: letter_replayed
UPDATE dead_letter SET replayed_ms = ? WHERE letter_id = ?;
-- name: letter_dismissed
UPDATE dead_letter SET dismissed_ms = ? WHERE letter_id = ?;
-- name: set_meta
INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value;
-- name: last_seq
SELECT max((SELECT coalesce(max(seq), 0) FROM log), (SELECT coalesce(max(last_seq), 0) FROM sealed));
-- name: profile
SELECT body FROM profile WHERE tenant = ? AND person = ?;
-- name: profiles
SELECT body FROM profile WHERE tenant = ? AND person > ? ORDER BY person LIMIT ?;
-- name: profiles_among
SELECT person, body FROM profile WHERE tenant = ? AND person IN;
-- name: people_of
SELECT external, person FROM identity WHERE tenant = ? AND external IN;
-- name: seen
SELECT key FROM dedupe WHERE key IN;
-- name: person_of
SELECT person FROM identity WHERE tenant = ? AND external = ?;
-- name: externals_of
SELECT external, person FROM identity WHERE tenant = ? AND person IN;
-- name: items
SELECT body FROM item WHERE tenant = ? ORDER BY item_id;
-- name: entry
SELECT kind, key, body, person, topic, status, due_ms FROM entry
WHERE tenant = ? AND kind = ? AND key = ?;
-- name: entries_among
SELECT kind, key, body, person, topic, status, due_ms FROM entry
WHERE tenant = ? AND kind = ? AND key IN;
-- name: entries
SELECT kind, key, body, person, topic, status, due_ms FROM entry
WHERE tenant = ? AND kind = ? AND key > ? ORDER BY key LIMIT ?;
-- name: entries_by_topic
SELECT kind, key, body, person, topic, status, due_ms FROM entry
WHERE tenant = ? AND kind = ? AND topic = ? AND key > ? ORDER BY key LIMIT ?;
-- name: entries_by_status
SELECT kind, key, body, person, topic, status, due_ms FROM entry INDEXED BY entry_topic
WHERE tenant = ? AND kind = ? AND topic = ? AND status = ? AND key > ? ORDER BY key LIMIT ?;
-- name: newest
SELECT kind, key, body, person, topic, status, due_ms FROM entry
WHERE tenant = ? AND kind = ? AND key < ? ORDER BY key DESC LIMIT ?;
-- name: newest_by_topic
SELECT kind, key, body, person, topic, status, due_ms FROM entry
WHERE tenant = ? AND kind = ? AND topic = ? AND key < ? ORDER BY key DESC LIMIT ?;
-- name: newest_by_status
SELECT kind, key, body, person, topic, status, due_ms FROM entry INDEXED BY entry_topic
WHERE tenant = ? AND kind = ? AND topic = ? AND status = ? AND key < ? ORDER BY key DESC LIMIT ?;
-- name: entries_of
SELECT kind, key, body, person, topic, status, due_ms FROM entry INDEXED BY entry_person
WHERE tenant = ? AND person = ? AND person <> '' AND kind = ? ORDER BY key DESC LIMIT ?;
-- name: entries_of_each
SELECT kind, key, body, person, topic, status, due_ms FROM entry INDEXED BY entry_person
WHERE tenant = ? AND kind = ? AND person <> '' AND person IN;
-- name: due
SELECT kind, key, body, person, topic, status, due_ms FROM entry
WHERE tenant = ? AND kind = ? AND due_ms > 0 AND due_ms <= ? ORDER BY due_ms, key LIMIT ?;
-- name: next_due
SELECT due_ms FROM entry WHERE tenant = ? AND kind = ? AND due_ms > 0 ORDER BY due_ms LIMIT 1;
-- name: entry_counts
SELECT topic, status, count(*) FROM entry WHERE tenant = ? AND kind = ? GROUP BY topic, status;
-- name: decision
SELECT seq FROM decision WHERE key = ?;
-- name: record
SELECT seq, tenant, slot, person, kind, message_id, at_ms, received_ms, body, derived
FROM log WHERE seq = ?;
-- name: records
SELECT seq, tenant, slot, person, kind, message_id, at_ms, received_ms, body, derived
FROM log WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?;
-- name: letters
SELECT letter_id, received_ms, source, code, message, body, replayed_ms, dismissed_ms FROM dead_letter
WHERE letter_id > ? AND (replayed_ms IS NULL AND dismissed_ms IS NULL OR ? = 0)
ORDER BY letter_id LIMIT ?;
-- name: pending_letters
SELECT count(*) FROM dead_letter WHERE replayed_ms IS NULL AND dismissed_ms IS NULL;
-- name: letter
SELECT letter_id, received_ms, source, code, message, body, replayed_ms, dismissed_ms FROM dead_letter
WHERE letter_id = ?;
-- name: meta
SELECT value FROM meta WHERE key = ?;
-- name: sealed
SELECT file, month, first_seq, last_seq, rows, sha256 FROM sealed ORDER BY first_seq;
-- name: add_sealed
INSERT INTO sealed (file, month, first_seq, last_seq, rows, sha256) VALUES (?, ?, ?, ?, ?, ?);
-- name: drop_sealed
DELETE FROM sealed WHERE file = ?;
-- name: archived
SELECT file, month, first_seq, last_seq, rows, sha256, since FROM archived ORDER BY first_seq;
-- name: add_archived
INSERT INTO archived (file, month, first_seq, last_seq, rows, sha256, since) VALUES (?, ?, ?, ?, ?, ?, ?);
-- name: drop_archived
DELETE FROM archived WHERE file = ?;
-- name: drop_decision
DELETE FROM decision WHERE key = ?;
-- name: drop_dedupe
DELETE FROM dedupe WHERE key = ? AND seq = ?;
-- name: hot
SELECT seq FROM log WHERE seq BETWEEN ? AND ?;
-- name: sealable
SELECT seq, tenant, slot, person, kind, message_id, at_ms, received_ms, body, derived
FROM log WHERE at_ms < ? ORDER BY seq LIMIT ?;
-- name: drop_record
DELETE FROM log WHERE seq = ?;
-- name: set_derived
UPDATE log SET derived = ? WHERE seq = ?;
-- name: hash_profiles
SELECT tenant, person, body FROM profile ORDER BY tenant, person;
-- name: hash_identities
SELECT tenant, external, person FROM identity ORDER BY tenant, external;
-- name: hash_items
SELECT tenant, item_id, body FROM item ORDER BY tenant, item_id;
-- name: hash_entries
SELECT tenant, kind, key, person, topic, status, due_ms, body FROM entry ORDER BY tenant, kind, key;
-- name: hash_offsets
SELECT slot, seq FROM slot_offset ORDER BY slot;
