"""``import``."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from germane.cli import common, forewarned, mappings, statements, stopped, whole
from germane.cli.progress import progress
from germane.cli.rejects import Nowhere, Rejects, place_of, refuse
from germane.cli.summary import Read, Summary, report
from germane.domain.errors import ImportFailed, WrongUse
from germane.domain.ids import DEFAULT_TENANT
from germane.domain.toml import toml_key

if TYPE_CHECKING:
    from germane.app import Engine
    from germane.app.by_time import ByTime
    from germane.app.importer import Importer
    from germane.app.library import Library
    from germane.config import ImportSpec, Loaded
    from germane.domain.event import Event
    from germane.domain.item import Item
    from germane.domain.ports import Store
    from germane.domain.settings import Settings
    from germane.ingest.bulk import Mapping as Columns
    from germane.ingest.bulk import Row, Shaper
    from germane.ingest.bulk.columns import Kind

PACKED_BYTES = 20
"""Of a row, about, in a file whose rows are not counted, since it is packed."""


class Target(NamedTuple):
    """Where rows go. A dry run only reads, and there may be no data folder yet."""

    settings: Settings
    now_ms: int
    store: Store | None
    """``None``: there is no data folder."""
    library: Library | None
    """Campaigns that were pushed; ``None``: likewise."""
    engine: Engine | None = None
    """``None``: a dry run of a catalogue, or of what people said."""
    dry: bool = False
    """Whether the engine keeps nothing (``app.foretelling``)."""

    def meta(self, key: str) -> bytes | None:
        """A named value that was stored with earlier imports."""
        return self.store.meta(key) if self.store is not None else None

    def stored(self) -> Callable[[], int] | None:
        """How many records are new in the log since this moment; ``None``: none is to be stored."""
        if self.engine is None or self.dry:
            return None
        store, before = self.engine.store, self.engine.store.last_seq()
        return lambda: store.last_seq() - before

    @property
    def items(self) -> Mapping[str, Item]:
        """The catalogue by id; that of a store is read for it."""
        if self.engine is not None:
            return self.engine.catalogue
        if self.store is None:
            return {}
        return {each.item_id: each for each in self.store.items(DEFAULT_TENANT)}


def run(
    wanted: str,
    files: list[Path],
    said: list[str],
    named: str | None,
    rejects: Path | None,
    event: str | None,
    *,
    dry_run: bool,
    force: bool,
    config: Path,
    data: Path | None,
    as_json: bool,
) -> int:
    """Import files; 4 when some rows could not be used, 1 when none could."""
    from germane.ingest.bulk import KINDS

    kind = next((each for each in KINDS if each == wanted), None)
    if kind is None:
        raise WrongUse(f"{wanted!r} cannot be imported.", hint=f"One of: {', '.join(KINDS)}.")
    if event and kind != "events":
        raise WrongUse("--event names the event of rows of events alone.", hint="Leave it out.")
    loaded = common.load(config)
    if named is not None:
        spec = _named(loaded, named, kind)
        said = [*(f"{field}={column}" for field, column in spec.columns.items()), *said]
        event = event or spec.event
    summary = Summary()
    with ExitStack() as stack:
        stack.enter_context(stopped.around(summary, len(files), dry_run=dry_run))
        sources = [
            _source(kind, path, said, loaded.settings) for path in files
        ]  # all, before the first
        started = time.perf_counter()
        target = stack.enter_context(_target(loaded, config, data, kind, dry_run=dry_run))
        if not force:
            for each in sources:
                _keeps(each, target)
        if kind == "events":
            _forewarn(target, summary, as_json)
        bad = stack.enter_context(Rejects(rejects)) if rejects is not None else None
        answers = stack.enter_context(_spool()) if kind == "consents" else None
        with stopped.told(summary, target.stored()):
            for each in sources:
                with bad_of(each, bad, dry_run=dry_run) as into:
                    if answers is None:
                        _file(target, each, into, event or "", as_json, summary)
                    else:
                        _statements(target, each, loaded, answers, into, as_json, summary)
                summary.read.append(each.path.name)
            if answers is not None:
                _said(target, sources, answers, as_json, summary)
    summary.seconds = time.perf_counter() - started
    summary.remedy(loaded.settings)
    report(summary, kind, as_json=as_json, dry_run=dry_run)
    return summary.exit_code


@contextmanager
def _target(
    loaded: Loaded, config: Path, data: Path | None, kind: Kind, *, dry_run: bool
) -> Iterator[Target]:
    if not dry_run:
        with common.opened(config, data, mode="write") as engine:
            yield _into(engine)
        return
    with _read(loaded, config, data) as target:
        if kind in ("catalogue", "consents"):
            yield target
            return
        from germane.app.foretelling import foretelling

        with foretelling(target.settings, target.store, target.now_ms) as engine:
            yield _into(engine, dry=True)


def _into(engine: Engine, *, dry: bool = False) -> Target:
    now_ms = engine.world.now_ms()
    return Target(engine.settings, now_ms, engine.store, engine.library, engine, dry)


@contextmanager
def _read(loaded: Loaded, config: Path, data: Path | None) -> Iterator[Target]:
    """The data folder, if there is one, beside whoever writes it."""
    from germane.app.library import written
    from germane.storage.sqlite import SqliteStore

    folder, now_ms = common.data_dir(loaded, config, data), time.time_ns() // 1_000_000
    if not (folder / "germane.db").exists():
        yield Target(loaded.settings, now_ms, None, None)
        return
    store = SqliteStore.open(folder, mode="read")
    try:
        stood = store.meta(common.CLOCK)
        now_ms = int(stood) if stood else now_ms
        yield Target(loaded.settings, now_ms, store, written(loaded.settings, store))
    finally:
        store.close()


def _keeps(source: Source, target: Target) -> None:
    """
    Raises:
        ImportFailed: what an earlier import took from a column would be emptied, or taken from another
            one, and nobody said so; or items would lose what the file has no column for.
    """
    from germane.ingest.bulk import Shaper

    kind, path, names, mapping = source
    if kind != "catalogue":
        return
    lost = mappings.lost(target.meta(mappings.key_of(kind, names)), mapping)
    if lost:
        told = ", ".join(f"{field} ← {column}" for field, column in lost.items())
        again = " ".join(
            f"--map {shlex.quote(f'{field}={column}')}" for field, column in lost.items()
        )
        raise ImportFailed(
            f"{path}: such files were imported with {told}. Without, every item would lose that.",
            hint=f"Add {again}; or --force, if that is meant.",
        )
    shaper = Shaper(kind, mapping, target.settings, now_ms=target.now_ms)
    whole.check(path, mapping, shaper, target.items)


def _forewarn(target: Target, summary: Summary, quiet: bool) -> None:
    """Say what cannot be mended later, before anything is stored."""
    from rich.markup import escape

    summary.waiting = forewarned.waiting(target.settings, target.items)
    if summary.waiting and not quiet:
        common.console().print(f"[yellow]{escape(forewarned.told(summary.waiting))}[/]")


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
            hint=f"Declared: {known}."
            if known
            else f"None is declared: add [imports.{toml_key(name)}].",
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
    mapping: Columns


def _source(kind: Kind, path: Path, said: list[str], settings: Settings) -> Source:
    """
    Raises:
        ImportFailed: the file cannot be read, or lacks a column that is needed.
        WrongUse: a mapping names what is not there.
    """
    from germane.ingest.bulk import columns_of, has_column, map_columns

    columns = columns_of(path)
    declared = declared_in(settings, kind)
    mapping = map_columns(
        kind, columns.names, said, more=columns.open, declared=declared, file=path
    )
    for field in mapping.said:
        column = mapping.all[field]
        if column not in columns.names and not has_column(path, column):
            raise WrongUse(
                f"--map '{field}={column}': no row of {path} has {column!r}.",
                hint=f"Columns: {', '.join(columns.names)}.",
            )
    return Source(kind, path, columns.names, mapping)


def declared_in(settings: Settings, kind: Kind) -> tuple[str, ...]:
    """What rows of a kind may hold beside their fields: attributes of items, traits of people."""
    if kind in ("events", "consents"):
        return ()
    return tuple(settings.attributes if kind == "catalogue" else settings.traits)


@contextmanager
def bad_of(
    source: Source, shared: Rejects | None, *, dry_run: bool = False
) -> Iterator[Rejects | Nowhere]:
    """Where the rows of a file go that cannot be used: one file for all, or one beside each; in a dry
    run nowhere, unless a file is named."""
    if shared is not None or dry_run:
        yield shared or Nowhere()
        return
    with Rejects(place_of(source.path)) as own:
        yield own


def _file(
    target: Target,
    source: Source,
    bad: Rejects | Nowhere,
    event: str,
    quiet: bool,
    summary: Summary,
) -> None:
    from germane.ingest.bulk import Shaper, count_rows, grouped, rows_of

    kind, path, _, mapping = source
    if not quiet:
        _mapped(source)
    shaper = Shaper(kind, mapping, target.settings, now_ms=target.now_ms, event=event)
    looks = Looks(_missing_in(target), _read_in(target), _aged_in(target))
    count = count_rows(path)
    with (
        _importer(target, source, count, summary) as importer,
        progress(count, f"Importing {path.name}", quiet=quiet) as advance,
    ):
        for rows in grouped(rows_of(path), shaper):
            summary.rows += len(rows)
            _take(source, rows, shaper, importer, bad, summary, looks)
            advance(len(rows))
    summary.looked(shaper)


def _spool() -> ByTime:
    """Where statements wait until all are read."""
    from germane.app.by_time import ByTime

    return ByTime("germane-consents-")


def _statements(
    target: Target,
    source: Source,
    loaded: Loaded,
    said: ByTime,
    bad: Rejects | Nowhere,
    quiet: bool,
    summary: Summary,
) -> None:
    """Read a file of what people said."""
    from germane.ingest.bulk import Statements
    from germane.privacy.purposes import Purposes

    spec, written = target.settings.privacy, target.library
    campaigns = written.campaigns.values() if written is not None else ()
    own = (*loaded.channels.links.purposes, *(each.purpose for each in campaigns))
    if not quiet:
        _mapped(source)
    summary.remark(mappings.changed(source.kind, target.meta(_mark(source)[0]), source.mapping.all))
    shaped = Statements(
        source.mapping,
        Purposes.of(spec, own),
        spec.notices,
        source=source.path.name,
        now_ms=target.now_ms,
    )
    statements.read(source.path, shaped, said, bad, summary, now_ms=target.now_ms, quiet=quiet)


def _said(
    target: Target, sources: list[Source], answers: ByTime, quiet: bool, summary: Summary
) -> None:
    """Record what was read; in a dry run, look what it would undo."""
    if target.engine is not None:
        marks = [_mark(each) for each in sources]
        statements.record(target.engine, answers, marks, summary, quiet=quiet)
    elif target.store is not None:
        statements.foresee(target.store, answers, summary, target.now_ms)


def _mark(source: Source) -> tuple[str, bytes]:
    """By which columns a file is imported, to be remembered, and under which name."""
    fields = source.mapping.all
    return mappings.key_of(source.kind, source.names), mappings.packed(fields)


def _mapped(source: Source) -> None:
    from rich.markup import escape

    mapping = source.mapping
    pairs = ", ".join(f"{field} ← {column}" for field, column in mapping.all.items())
    rest = ", ".join(mapping.rest) or "–"
    said = escape(f"{pairs}; {'left out' if source.kind == 'consents' else 'kept'}: {rest}")
    common.console().print(f"[bold]{escape(str(source.path))}[/]: {said}")


@contextmanager
def _importer(
    target: Target, source: Source, count: int | None, summary: Summary
) -> Iterator[Importer | None]:
    """What writes the rows of one file, if anything does; its counts, and by which columns."""
    from germane.app.apart import importer_for

    kind = source.kind
    known_as, columns = _mark(source)
    summary.remark(mappings.changed(kind, target.meta(known_as), source.mapping.all))
    if target.engine is None:
        yield None
        return
    about = source.path.stat().st_size // PACKED_BYTES if count is None else count
    teaching = about if kind == "events" and not target.dry else 0
    with importer_for(target.engine, "import", teaching) as importer:
        counters = target.engine.counters
        before, letters, unkept = importer.receipt, importer.letters, counters.unkept
        undeclared = counters.undeclared
        yield importer
        after, unkept = importer.receipt, counters.unkept - unkept
        summary.refused += counters.undeclared - undeclared
        summary.unkept += unkept - (counters.undeclared - undeclared)
        if after.accepted - unkept > before.accepted:
            importer.mark(known_as, columns)
        summary.letters += importer.letters - letters
        summary.letters_again += importer.letters_again
        summary.wrong += [each for each in importer.wrong if each not in summary.wrong]
        summary.unfolded += after.rejected - before.rejected
        if kind == "catalogue":
            summary.accepted = sum(summary.items.values())
            summary.duplicates = len(summary.items) - summary.accepted
        else:
            summary.accepted += after.accepted - before.accepted - unkept
            summary.duplicates += after.duplicates - before.duplicates


class Looks(NamedTuple):
    """What is asked of each event."""

    missing: Callable[[Event], tuple[str, ...]]
    read: Callable[[Event], Read]
    aged: Callable[[Event], bool]


def _aged_in(target: Target) -> Callable[[Event], bool]:
    """Whether an event, or a trait that it tells, is older than what is kept."""
    from germane.privacy import retention

    limits = retention.of(target.settings, target.now_ms)
    return lambda event: event.at_ms < limits.of_event(event)


def _missing_in(target: Target) -> Callable[[Event], tuple[str, ...]]:
    """What nothing declares in an event."""
    from germane.privacy.declared import Declared

    declared, library = Declared(target.settings), target.library
    return lambda event: declared.missing(event, used=library is not None and library.uses(event))


def _read_in(target: Target) -> Callable[[Event], Read]:
    """What signals read in an event."""
    from germane.ingest.signals import Extractor

    extract, items = Extractor(target.settings).extract, target.items

    def read(event: Event) -> Read:
        found, problems = extract(event)
        strange = {each.item_id for each in found if each.item_id not in items}
        return Read(strange, bool(found), bool(problems))

    return read


def _take(
    source: Source,
    rows: list[Row],
    shaper: Shaper,
    importer: Importer | None,
    bad: Rejects | Nowhere,
    summary: Summary,
    looks: Looks,
) -> None:
    from germane.ingest.bulk import Unusable

    try:
        if source.kind == "catalogue":
            item = shaper.item(rows[0])
            summary.left_out(source.path, rows[0], shaper.unfit)
            changed = importer is not None and importer.add_items([item]) > 0
            summary.item(item.item_id, changed=changed)
            return
        event = shaper.event(rows)
        summary.met(event.user_id or event.anonymous_id, event.at_ms)
        if source.kind == "people":
            summary.zone(event.traits.get("timezone"))
        summary.aged += len(rows) if looks.aged(event) else 0
        undeclared = looks.missing(event)
        summary.undeclared.update(undeclared)
        summary.looked_at(looks.read(event))
        if not shaper.is_signal(event) and not any(x.startswith("track ") for x in undeclared):
            summary.unused[event.name] += 1
        if importer is not None:
            importer.collect(event)
    except Unusable as problem:
        refuse(source.path, rows, problem, bad, summary)
