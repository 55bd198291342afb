"""``import consents``: what people said is read whole, then recorded in the order in which they said it.

A no always stands, so one that is recorded after a newer yes would undo it: the order of lines in a file must
not decide that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from germane.cli.progress import progress
from germane.cli.rejects import Nowhere, Rejects, refuse
from germane.cli.summary import Summary
from germane.domain.moves import Stated

if TYPE_CHECKING:
    from germane.app import Engine
    from germane.app.by_time import ByTime
    from germane.domain.ports import Store
    from germane.ingest.bulk import Statements

AT_ONCE = 500
"""Statements whose people are looked up together."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Stated).decode


def read(
    path: Path,
    statements: Statements,
    into: ByTime,
    bad: Rejects | Nowhere,
    summary: Summary,
    *,
    now_ms: int,
    quiet: bool,
) -> None:
    """Keep what the rows of a file say; those that cannot be used are told."""
    from germane.ingest.bulk import Unusable, count_rows, rows_of

    with progress(count_rows(path), f"Reading {path.name}", quiet=quiet) as advance:
        for row in rows_of(path):
            summary.rows += 1
            try:
                move = statements.of(row)
            except Unusable as problem:
                refuse(path, [row], problem, bad, summary)
            else:
                summary.met(move.person, move.at_ms)
                summary.over += 0 < move.until_ms <= now_ms
                into.add(move.at_ms, _encode(move))
            advance(1)


def record(
    engine: Engine,
    said: ByTime,
    marks: Iterable[tuple[str, bytes]],
    summary: Summary,
    *,
    quiet: bool,
) -> None:
    """Write them into the ledger, the oldest first.

    Args:
        engine: Of the data folder.
        said: All of them.
        marks: Named values that are stored with the last of them, if any is new.
        summary: Takes the counts.
        quiet: Nothing is shown meanwhile.
    """
    with (
        engine.importer() as importer,
        progress(len(said), "Recording what was said", quiet=quiet) as advance,
    ):
        for moves in _together(said):
            importer.add_statements(moves)
            advance(len(moves))
        if importer.receipt.accepted:
            for key, value in marks:
                importer.mark(key, value)
    summary.accepted += importer.receipt.accepted
    summary.duplicates += importer.receipt.duplicates
    summary.outdated += importer.outdated
    summary.undid(importer.taken_back)


def foresee(store: Store, said: ByTime, summary: Summary, now_ms: int) -> None:
    """Note what they would undo, if they were recorded now."""
    from germane.app.foreseen import Foreseen

    foreseen = Foreseen(store, now_ms)
    for moves in _together(said):
        summary.undid(foreseen.of(moves))


def _together(said: ByTime) -> Iterator[list[Stated]]:
    moves = (_decode(packed) for _, group in said.groups() for packed in group)
    while some := list(islice(moves, AT_ONCE)):
        yield some
