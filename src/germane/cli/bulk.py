"""``import``."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from germane.cli import common, mappings
from germane.cli.common import many
from germane.cli.rejects import Rejects, place_of
from germane.domain.errors import WrongUse

if TYPE_CHECKING:
    from germane.app import Engine
    from germane.app.importer import Importer
    from germane.config import ImportSpec, Loaded
    from germane.ingest.bulk import Mapping, Row, Shaper
    from germane.ingest.bulk.columns import Kind


@dataclass(slots=True)
class Summary:
    """What an import did."""

    rows: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first_ms: int = 0
    last_ms: int = 0
    seconds: float = 0.0
    people: set[str] = field(default_factory=set)
    usable: int = 0
    """Events or items that the rows are."""
    letters: int = 0
    """Events that could not be folded: dead letters."""
    remarks: list[str] = field(default_factory=list)
    """What to know of earlier imports of such files."""
    unused: Counter[str] = field(default_factory=Counter)
    """Names of events for which no signal is declared."""

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        from germane.profile.view import rfc3339

        return {
            "rows": self.rows,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "rejected": self.rejected,
            "deadLetters": self.letters,
            "reasons": dict(self.reasons.most_common()),
            "remarks": self.remarks,
            "unused": dict(self.unused.most_common()),
            "people": len(self.people),
            "first": rfc3339(self.first_ms),
            "last": rfc3339(self.last_ms),
            "seconds": round(self.seconds, 2),
            "rowsPerSecond": round(self.rows / self.seconds) if self.seconds else None,
        }


def run(
    wanted: str,
    files: list[Path],
    said: list[str],
    named: str | None,
    rejects: Path | None,
    event: str | None,
    *,
    dry_run: bool,
    config: Path,
    data: Path | None,
    as_json: bool,
) -> int:
    """Import files; 1 when nothing of them could be used."""
    from germane.ingest.bulk import KINDS

    kind = next((each for each in KINDS if each == wanted), None)
    if kind is None:
        raise WrongUse(f"{wanted!r} cannot be imported.", hint=f"One of: {', '.join(KINDS)}.")
    if named is not None:
        spec = _named(common.load(config), named, kind)
        said = [*(f"{field}={column}" for field, column in spec.columns.items()), *said]
        event = event or spec.event
    summary = Summary()
    sources = [_source(kind, path, said) for path in files]  # all of them, before one is imported
    started = time.perf_counter()
    with common.opened(config, data, mode="write") as engine, ExitStack() as stack:
        bad = stack.enter_context(Rejects(rejects)) if rejects is not None else None
        before = engine.seq
        try:
            for each in sources:
                with bad_of(each, bad) as into:
                    _file(engine, each, into, event or "", dry_run, as_json, summary)
        except KeyboardInterrupt:
            _stopped(summary, engine.store.last_seq() - before, dry_run)
            raise
    summary.seconds = time.perf_counter() - started
    _report(summary, kind, as_json, dry_run)
    return int(summary.rows > 0 and summary.rejected == summary.rows)


def _named(loaded: Loaded, name: str, kind: str) -> ImportSpec:
    """A declared mapping.

    Raises:
        WrongUse: there is none of that name, or it is for other rows.
    """
    found = loaded.imports.get(name)
    if found is None:
        known = ", ".join(sorted(loaded.imports))
        raise WrongUse(
            f"There is no mapping named {name!r}.",
            hint=f"Declared: {known}." if known else f"None is declared: add [imports.{name}].",
        )
    if found.kind != kind:
        raise WrongUse(
            f"The mapping {name!r} is for {found.kind}, not for {kind}.",
            hint=f"germane import {found.kind} FILE --as {name}",
        )
    return found


class Source(NamedTuple):
    """One file, and which of its columns is which field."""

    kind: Kind
    path: Path
    names: tuple[str, ...]
    mapping: Mapping


def _source(kind: Kind, path: Path, said: list[str]) -> Source:
    """
    Raises:
        ImportFailed: the file cannot be read, or lacks a column that is needed.
        WrongUse: a mapping names what is not there.
    """
    from germane.ingest.bulk import columns_of, map_columns

    columns = columns_of(path)
    mapping = map_columns(kind, columns.names, said, more=columns.open)
    return Source(kind, path, columns.names, mapping)


@contextmanager
def bad_of(source: Source, shared: Rejects | None) -> Iterator[Rejects]:
    """Where the rows of a file go that cannot be used: one file for all, or one beside each."""
    if shared is not None:
        yield shared
        return
    with Rejects(place_of(source.path)) as own:
        yield own


def _stopped(summary: Summary, stored: int, dry_run: bool) -> None:
    """Ctrl-C: what is done, and how to go on."""
    done = "nothing was to be stored" if dry_run else f"{many(stored, 'new record')} stored"
    sys.stderr.write(
        f"Read {many(summary.rows, 'row')}; {done}.\n"
        "Run the same command again to go on: what is stored is known and counts once.\n"
    )


def _file(
    engine: Engine,
    source: Source,
    bad: Rejects,
    event: str,
    dry_run: bool,
    quiet: bool,
    summary: Summary,
) -> None:
    from rich.markup import escape

    from germane.ingest.bulk import Shaper, count_rows, grouped, rows_of

    kind, path, names, mapping = source
    if not quiet:
        pairs = ", ".join(f"{field} ← {column}" for field, column in mapping.fields.items())
        kept = ", ".join(mapping.rest) or "–"
        common.console().print(f"[bold]{escape(str(path))}[/]: {escape(f'{pairs}; kept: {kept}')}")
    shaper = Shaper(kind, mapping, engine.settings, now_ms=engine.world.now_ms(), event=event)
    known_as = mappings.key_of(kind, names)
    remark = mappings.changed(kind, engine.store.meta(known_as), mapping.fields)
    if remark and remark not in summary.remarks:
        summary.remarks.append(remark)
    with (
        engine.importer() as importer,
        progress(count_rows(path), f"Importing {path.name}", quiet=quiet) as advance,
    ):
        before = importer.receipt
        for rows in grouped(rows_of(path), shaper):
            summary.rows += len(rows)
            _take(source, rows, shaper, importer, bad, summary, dry_run)
            advance(len(rows))
        if importer.receipt.accepted > before.accepted:
            importer.mark(known_as, mappings.packed(mapping.fields))
        summary.accepted += importer.receipt.accepted - before.accepted
        summary.duplicates += importer.receipt.duplicates - before.duplicates
        summary.letters += importer.receipt.rejected - before.rejected


def _take(
    source: Source,
    rows: list[Row],
    shaper: Shaper,
    importer: Importer,
    bad: Rejects,
    summary: Summary,
    dry_run: bool,
) -> None:
    from germane.ingest.bulk import Unusable

    try:
        if source.kind == "catalogue":
            item = shaper.item(rows[0])
            summary.usable += 1
            if not dry_run:
                importer.add_items([item])
            return
        event = shaper.event(rows)
        summary.usable += 1
        summary.first_ms = min(summary.first_ms or event.at_ms, event.at_ms)
        summary.last_ms = max(summary.last_ms, event.at_ms)
        summary.people.add(event.user_id or event.anonymous_id)
        if not shaper.is_signal(event):
            summary.unused[event.name] += 1
        if not dry_run:
            importer.add([event])
    except Unusable as problem:
        summary.rejected += len(rows)
        for row in rows:
            reason = problem.of(row)
            summary.reasons[reason.split(":")[0]] += 1
            bad.write(source.path, row, reason)


class progress:  # noqa: N801 - reads as a verb at its place
    """A bar on a terminal, a plain line every few seconds elsewhere."""

    def __init__(self, total: int | None, what: str, *, quiet: bool = False) -> None:
        self._total, self._what, self._quiet = total, what, quiet
        self._done, self._told = 0, time.monotonic()
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Any:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeRemainingColumn,
            )

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=Console(stderr=True),
            )
            self._bar.start()
            self._task = self._bar.add_task(self._what, total=self._total)
        return self.advance

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, count: int) -> None:
        """So many more are done."""
        self._done += count
        if self._bar is not None:
            self._bar.update(self._task, completed=self._done)
        elif not self._quiet and time.monotonic() - self._told > 5:
            self._told = time.monotonic()
            share = f" ({self._done / self._total:.0%})" if self._total else ""
            sys.stderr.write(f"{self._what}: {self._done:,}{share}\n")


def _report(summary: Summary, kind: str, as_json: bool, dry_run: bool) -> None:
    if as_json:
        common.print_json(summary.as_dict())
        return
    from rich.markup import escape

    out = common.console()
    done = "Would import" if dry_run else "Imported"
    new = many(summary.accepted, "new event")
    if kind == "catalogue":
        new = f"{many(summary.accepted, 'item')} new or changed"
    told = f"{new}, {summary.duplicates:,} known already, "
    if dry_run:  # what is known already is not looked up
        told = f"{many(summary.usable, 'item' if kind == 'catalogue' else 'event')}, "
    out.print(
        f"[bold green]{done}[/] {many(summary.rows, 'row')} in {summary.seconds:.1f} s: {told}"
        f"{many(summary.rejected, 'row')} rejected."
    )
    if summary.people:
        from germane.profile.view import rfc3339

        out.print(
            f"{many(len(summary.people), 'person', 'people')}, {rfc3339(summary.first_ms)} to "
            f"{rfc3339(summary.last_ms)}."
        )
    for reason, count in summary.reasons.most_common(10):
        out.print(f"  [yellow]{count:,}[/] × {escape(reason)}")
    for remark in summary.remarks:
        out.print(f"[yellow]{escape(remark)}[/]")
    if summary.letters:
        out.print(
            f"  [yellow]{many(summary.letters, 'event')}[/] could not be folded: "
            "germane dead-letters list"
        )
    for name, count in summary.unused.most_common(10):
        out.print(
            f"  [yellow]{count:,}[/] × {escape(repr(name))}: kept, but no signal is declared for it"
        )
