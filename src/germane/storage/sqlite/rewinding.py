"""Going back to an earlier offset, once the records after it were erased: what still speaks of them."""

from __future__ import annotations

from collections.abc import Mapping

import apsw

_AFTER = (
    "DELETE FROM dedupe WHERE seq > :seq",
    "DELETE FROM decision WHERE seq > :seq",
    "DELETE FROM slot_offset",
    "UPDATE sealed SET last_seq = min(last_seq, :seq)",
    "UPDATE archived SET last_seq = min(last_seq, :seq)",
    "DELETE FROM dead_letter WHERE received_ms > :until_ms",
    "UPDATE dead_letter SET replayed_ms = NULL WHERE replayed_ms > :until_ms",
    "UPDATE dead_letter SET dismissed_ms = NULL WHERE dismissed_ms > :until_ms",
)


def rewound(
    connection: apsw.Connection, seq: int, offsets: Mapping[int, int], until_ms: int
) -> None:
    """One transaction."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in _AFTER:
        connection.execute(statement, {"seq": seq, "until_ms": until_ms})
    connection.executemany("INSERT INTO slot_offset (slot, seq) VALUES (?, ?)", [*offsets.items()])
    connection.execute("COMMIT")
