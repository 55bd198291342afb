"""The statements of one transaction."""

from __future__ import annotations

import contextlib

import apsw

from germane.domain.record import FROM_OUTSIDE, Txn
from germane.storage.codec import dedupe_key, encode, pack
from germane.storage.sqlite.erasing import erase


def write(connection: apsw.Connection, sql: dict[str, str], txn: Txn) -> None:
    """Everything of ``txn``, inside the caller's transaction."""
    many = connection.executemany
    if txn.erasure is not None:
        erase(connection, txn.erasure)
    if txn.records:
        many(
            sql["add_record"],
            [
                (
                    r.seq,
                    r.tenant,
                    r.slot,
                    r.person,
                    r.kind,
                    r.message_id,
                    r.at_ms,
                    r.received_ms,
                    r.body,
                    r.derived,
                )
                for r in txn.records
            ],
        )
        sent = [r for r in txn.records if r.kind in FROM_OUTSIDE]
        many(sql["add_dedupe"], [(dedupe_key(r.tenant, r.message_id), r.seq) for r in sent])
        many(sql["set_offset"], list({r.slot: r.seq for r in txn.records}.items()))
    write_state(connection, sql, txn)
    if txn.letters:
        many(
            sql["add_letter"],
            [(x.received_ms, x.source, x.code, x.message, x.body) for x in txn.letters],
        )
    if txn.replayed_letters:
        many(sql["letter_replayed"], [(at_ms, number) for number, at_ms in txn.replayed_letters])
    if txn.dismissed_letters:
        many(sql["letter_dismissed"], [(at_ms, number) for number, at_ms in txn.dismissed_letters])
    if txn.meta:
        many(sql["set_meta"], list(txn.meta.items()))


def write_state(connection: apsw.Connection, sql: dict[str, str], txn: Txn) -> None:
    """What is derived: profiles, identities, catalogue, ledger, where decisions are."""
    many = connection.executemany
    if txn.profiles:
        many(
            sql["put_profile"],
            [
                (*key, pack(encode(value)))
                for key, value in txn.profiles.items()
                if value is not None
            ],
        )
        many(sql["drop_profile"], [key for key, value in txn.profiles.items() if value is None])
    if txn.identities:
        many(sql["put_identity"], [(*key, person) for key, person in txn.identities.items()])
    if txn.items:
        many(
            sql["put_item"],
            [(*key, encode(value)) for key, value in txn.items.items() if value is not None],
        )
        many(sql["drop_item"], [key for key, value in txn.items.items() if value is None])
    if txn.entries:
        many(sql["drop_entry"], [key for key, value in txn.entries.items() if value is None])
        many(
            sql["put_entry"],
            [
                (tenant, e.kind, e.key, e.person, e.topic, e.status, e.due_ms, e.body)
                for (tenant, _, _), e in txn.entries.items()
                if e is not None
            ],
        )
    if txn.decisions:
        where = {r.message_id: r.seq for r in txn.records if r.kind == "decision"}
        many(
            sql["add_decision"],
            [
                (dedupe_key(tenant, each.decision_id), where[f"decision:{each.decision_id}"])
                for tenant, each in txn.decisions
            ],
        )


def undo(writer: apsw.Connection) -> None:
    """Roll back, as far as the file still allows it; what went wrong is told by the caller."""
    with contextlib.suppress(apsw.Error):
        writer.execute("ROLLBACK")


def pages_of(txn: Txn) -> int:
    """About how many pages a transaction writes: each row of a table by key touches one."""
    rows = 2 * len(txn.records) + len(txn.profiles) + len(txn.items) + len(txn.letters)
    rows += 4 * len(txn.entries)
    return 4 + rows + sum(len(each.derived) for each in txn.records) // 4_096
