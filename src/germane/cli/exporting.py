"""``export``: what is stored, as JSONL or Parquet."""

from __future__ import annotations

import contextlib
import json
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import typer

from germane.cli import common
from germane.cli.common import many
from germane.cli.desk import may_write
from germane.domain.errors import GermaneError, UnknownPerson, WrongUse

if TYPE_CHECKING:
    from germane.app import Engine
    from germane.domain.record import Record

OF_LOG = ("events", "decisions", "impressions", "outcomes")
"""Kinds that are records of the log, by the plural of the record's kind."""
KINDS = (*OF_LOG, "people", "items")


def export(
    kind: str | None,
    out: Path | None,
    person: str | None,
    config: Path,
    data: Path | None,
    *,
    yes: bool,
) -> None:
    """Write stored things as JSONL or Parquet; over a file that is there only if that is meant."""
    if kind is None or out is None:
        raise WrongUse(
            "What is to be exported, and to which file?",
            hint="germane export events events.jsonl; or everything of a person: "
            "germane export --person ID --html FILE.",
        )
    if kind not in KINDS:
        raise WrongUse(f"{kind!r} cannot be exported.", hint=f"One of: {', '.join(KINDS)}.")
    if out.suffix not in (".jsonl", ".parquet") and str(out) != "-":
        raise WrongUse(
            f"{out} has no known form.",
            hint="Name it .jsonl or .parquet, or - for standard output.",
        )
    if kind == "items" and person is not None:
        raise WrongUse("Items are nobody's: leave --person out.")
    with common.opened(config, data, mode="read") as engine:
        rows = _rows(engine, kind, None if person is None else _key(engine, person))
        if str(out) != "-" and not may_write(out, yes=yes):
            raise typer.Exit(1)
        count = _to_stream(rows, sys.stdout) if str(out) == "-" else _to_file(rows, out)
    if str(out) != "-":
        one = "person" if kind == "people" else kind.removesuffix("s")
        wrote = many(count, one, kind)
        common.told_wrote(wrote, out)


def _rows(engine: Engine, kind: str, only: str | None) -> Iterator[dict[str, Any]]:
    import msgspec

    from germane.api.wire import item_view
    from germane.app import records_of

    if kind == "items":
        for item in engine.catalogue.values():
            yield item_view(item)
    elif kind == "people":
        yield from engine.people(only)
    else:
        wanted = kind.removesuffix("s")
        read = engine.store.read
        last = engine.store.last_seq()  # a server beside us may go on writing
        log = read(0, until=last)
        for record in log if only is None else records_of(log, read(0, until=last), only):
            if record.kind == wanted:
                yield {
                    "offset": record.seq,
                    "person": record.person,
                    "receivedMs": record.received_ms,
                    **msgspec.msgpack.decode(record.body),
                    **(_became(record) if wanted == "outcome" else {}),
                }


def _became(record: Record) -> dict[str, Any]:
    """What its decision was credited for a reported outcome; nothing if it did not count."""
    import msgspec

    from germane.domain.outcome import Observation

    if not record.derived:
        return {"credited": None}
    rewards = msgspec.msgpack.decode(record.derived, type=Observation).rewards
    return {"credited": sum(each.value for each in rewards) if rewards else None}


def _key(engine: Engine, person: str) -> str:
    """Whose records are wanted; never everyone's because of a mistyped id."""
    found = engine.person_key(person)
    if found is None:
        raise UnknownPerson(f"Nothing is known about {person!r}.")
    return found


def _plain(value: object) -> str:
    """Bytes (the features of a decision, float16) as base64, like everything that speaks JSON."""
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _to_file(rows: Iterator[dict[str, Any]], out: Path) -> int:
    """Written beside its place and renamed: what is at ``out`` is whole, or what was there before.

    Raises:
        GermaneError: it cannot be written.
    """
    part = out.with_name(out.name + ".part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        if out.suffix == ".parquet":
            count = _to_parquet(rows, part)
        else:
            with part.open("w", encoding="utf-8") as file:
                count = _to_stream(rows, file)
        part.replace(out)
    except OSError as error:
        raise GermaneError(
            f"{out} cannot be written: {error.strerror or error}.",
            hint="Name a file in a folder that is there, may be written, and has room.",
        ) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return count


def _to_stream(rows: Iterator[dict[str, Any]], file: TextIO) -> int:
    count = 0
    for count, row in enumerate(rows, 1):  # noqa: B007 - the number of rows is the answer
        file.write(json.dumps(row, ensure_ascii=False, default=_plain) + "\n")
    return count


def _to_parquet(rows: Iterator[dict[str, Any]], out: Path) -> int:
    """Nested values as JSON text, so that every row has the same columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    flat = [
        {
            k: json.dumps(v, ensure_ascii=False, default=_plain)
            if isinstance(v, dict | list)
            else v
            for k, v in row.items()
        }
        for row in rows
    ]
    names = list(dict.fromkeys(name for row in flat for name in row))
    pq.write_table(pa.Table.from_pylist([{n: row.get(n) for n in names} for row in flat]), out)
    return len(flat)
