"""``backtest``: files, or the log of a data folder, to findings and a report."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from germane.cli import common, stopped
from germane.cli.bulk import declared_in
from germane.cli.common import many
from germane.cli.progress import progress
from germane.cli.summary import place
from germane.domain.errors import GermaneError, WrongUse

if TYPE_CHECKING:
    from germane.app.backtest import Findings, Intake
    from germane.config import Loaded
    from germane.domain.item import Item
    from germane.domain.settings import Settings
    from germane.ingest.bulk import Columns, Mapping, Row
    from germane.ingest.bulk.columns import Kind

INTERRUPTED = 130
ALREADY = ("auto", "show", "leave-out")
KINDS = ("events", "items", "people")
TOLD = ("Rows ", "Unknown items")
"""How checks begin that are told on the terminal, too: what was dropped, and what most likely does not fit."""
_OURS = (b"<title>Would personalisation pay?", b'{\n  "sample": {')
"""What the beginning of a report has, and of its data."""
_IMPORT_KIND: dict[str, Kind] = {"events": "events", "items": "catalogue", "people": "people"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for."""

    files: list[Path]
    items: Path | None
    people: Path | None
    mapping: list[str]
    event: str
    config: Path
    data: Path | None
    derive: bool
    surface: str | None
    targets: list[str]
    sample: int | None
    learn_first: float
    already: Any
    out: Path
    json_file: Path | None
    quiet: bool


def run(wanted: Wanted) -> int:
    """Replay, judge, write the report; 130 when it was stopped on the way (the report says so)."""
    from germane.cli.report import page

    if wanted.already not in ALREADY:
        raise WrongUse(
            f"--already-chosen {wanted.already!r} is none of {', '.join(ALREADY)}.",
            hint="auto: as the data tell; show; leave-out.",
        )
    _writable(wanted)
    findings = find(wanted)
    wanted.out.write_text(page(findings, _name(wanted)), encoding="utf-8")
    if wanted.json_file is not None:
        import msgspec

        packed = msgspec.json.format(msgspec.json.encode(findings), indent=2)
        wanted.json_file.write_bytes(packed + b"\n")
    if not wanted.quiet:
        _say(findings, wanted)
    return INTERRUPTED if findings.sample.stopped_ms is not None else 0


def find(wanted: Wanted) -> Findings:
    """Read everything and replay it.

    Raises:
        GermaneError: the input cannot be used.
    """
    from germane.app.backtest import backtest
    from germane.app.backtest.plan import NothingToPredict, plan, surface_of
    from germane.app.backtest.spool import Spool
    from germane.app.backtest.traits import learned
    from germane.domain.settings import TrainingSpec

    loaded = _loaded(wanted)
    with Spool() as spool, stopped.reported(spool, wanted.out):
        intake = (
            read_files(wanted, loaded, spool) if wanted.files else _from_log(wanted, loaded, spool)
        )
        surface = surface_of(intake.settings, wanted.surface, intake)
        already = wanted.already
        if already == "auto" and loaded is not None and surface.already_bought == "exclude":
            already = "leave-out"
        what = plan(
            spool,
            intake.targets,
            loaded.runtime.training if loaded is not None else TrainingSpec(),
            learn_first=wanted.learn_first,
            sample=wanted.sample,
            already=already,
        )
        if loaded is None:
            traits = learned(intake, what.split_ms)
            intake.settings = replace(intake.settings, traits=traits)
        if not wanted.quiet:
            asked = f"{len(what.people):,} of {many(what.people_all, 'person', 'people')}"
            common.console().print(
                f"{many(len(spool), 'event')}; predicting {many(what.occasions, 'time')} for {asked}. "
                "Ctrl-C: stop here, with a report on what was reached."
            )
        with (
            _stoppable() as stop,
            progress(len(spool), "Replaying", quiet=wanted.quiet) as advance,
        ):
            try:
                return backtest(
                    intake,
                    surface,
                    what,
                    derived=loaded is None,
                    progress=advance,
                    stop=stop,
                    clock=time.perf_counter,
                )
            except NothingToPredict:
                if not stop():
                    raise
        raise KeyboardInterrupt


def _loaded(wanted: Wanted) -> Loaded | None:
    """The configuration; ``None``: derive settings from the data."""
    if wanted.derive and not wanted.files:
        raise WrongUse(
            "--derive needs files: the log of a data folder is read by its own configuration.",
            hint="Leave --derive out, or name the files.",
        )
    default = wanted.config == common.DEFAULT_CONFIG
    if wanted.derive or (wanted.files and default and not wanted.config.exists()):
        return None
    return common.load(wanted.config)


def _targets(settings: Settings, said: list[str]) -> frozenset[str]:
    from germane.app.backtest.derived import targets_of

    by_event = {each.event: each.name for each in settings.signals.values()}
    found = frozenset(by_event.get(each, each) for each in said)
    for each in found:
        spec = settings.signals.get(each)
        if spec is None or spec.weight <= 0:
            known = ", ".join(x.name for x in settings.signals.values() if x.weight > 0)
            raise WrongUse(
                f"--target {each!r} is no signal with a positive weight.", hint=f"One of: {known}."
            )
    return found or targets_of(settings)


# -- from files ------------------------------------------------------------------------------------


def read_files(wanted: Wanted, loaded: Loaded | None, spool: Any) -> Intake:
    """All rows that can be used, with what was noticed.

    Raises:
        GermaneError: none can be, or nothing in them chooses anything.
    """
    from germane.app.backtest import Intake
    from germane.app.backtest.health import reasons

    said = _mappings(wanted.mapping)
    for kind, path in (("items", wanted.items), ("people", wanted.people)):
        if said[kind] and path is None:
            raise WrongUse(
                f"--map '{kind}.{said[kind][0]}': there is no file of {kind}.",
                hint=f"Name it: --{kind} FILE.",
            )
    rejected: Counter[str] = Counter()
    first: dict[str, str] = {}
    items = list(_items(wanted, said["items"], loaded, rejected, first))
    settings = loaded.settings if loaded is not None else _derived(wanted, said, items)
    intake = Intake(settings, _targets(settings, wanted.targets), spool)
    intake.noticed.item_rows = len(items) + rejected.total()
    intake.noticed.items_rejected, intake.noticed.items_first = rejected, first
    for item in items:
        intake.item(item)
    if wanted.people is not None:
        _rows(wanted, "people", wanted.people, said["people"], intake)
    for path in wanted.files:
        _rows(wanted, "events", path, said["events"], intake)
    if not intake.noticed.rows:
        raise GermaneError(
            f"There are no rows in {', '.join(map(str, wanted.files))}, only names of columns.",
            hint="Name the files that hold what people chose.",
        )
    if not len(spool):
        why = reasons(intake.noticed.rejected, intake.noticed.first)
        raise GermaneError(
            f"No row of the files can be used: {why or 'none of them is an event with a time'}.",
            hint="Look at the columns above; --map FIELD=COLUMN says which is which.",
        )
    if not intake.noticed.choices:
        raise _nothing_chosen(intake, derived=loaded is None)
    return intake


def _nothing_chosen(intake: Intake, *, derived: bool) -> GermaneError:
    """Why no event counts as a choice, and what to do."""
    unused = intake.noticed.unused
    names = ", ".join(repr(name) for name, _ in unused.most_common(5))
    declared = {each.event for each in intake.settings.signals.values()}
    if not names:
        why = "all of them take something back, or only lead to a choice"
        hint = "Name what people choose with --target SIGNAL, or add the files that hold it."
    elif unused.keys() & declared:
        why = f"no row of {names} names an item where it is read"
        hint = "Name the column that holds it: --map item_id=COLUMN."
    else:
        why = f"no signal is declared for {names}"
        hint = "Declare it under [signals], or name the events with --event"
        hint += "." if derived else ", or add --derive."
    return GermaneError(f"No event chooses anything: {why}.", hint=hint)


def _mappings(said: list[str]) -> dict[str, list[str]]:
    """``FIELD=COLUMN`` is for events; ``items.FIELD=COLUMN`` and ``people.FIELD=COLUMN`` for the others."""
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for each in said:
        kind, mark, rest = each.partition(".")
        if mark and kind in KINDS and "=" not in kind:
            found[kind].append(rest)
        else:
            found["events"].append(each)
    return found


def _mapped(wanted: Wanted, kind: str, path: Path, said: list[str], settings: Settings) -> Mapping:
    columns, found = _columns(kind, path, said, settings)
    if kind == "events" and "item_id" not in found.fields and not _nested(path):
        raise GermaneError(
            f"No column of {path} holds the item.",
            hint=f"Say which: --map item_id=COLUMN. Columns: {', '.join(columns.names)}.",
        )
    if not wanted.quiet:
        pairs = ", ".join(f"{field} ← {column}" for field, column in found.all.items())
        common.console().print(f"[bold]{path}[/]: {pairs}")
    return found


def _columns(
    kind: str, path: Path, said: list[str], settings: Settings | None = None
) -> tuple[Columns, Mapping]:
    """The columns of a file, and which of them is which field; ``None``: nothing is declared yet."""
    from germane.ingest.bulk import columns_of, map_columns

    columns, rows = columns_of(path), _IMPORT_KIND[kind]
    found = map_columns(
        rows,
        columns.names,
        said,
        more=columns.open,
        declared=declared_in(settings, rows) if settings is not None else (),
        file=path,
        before="" if kind == "events" else f"{kind}.",
    )
    return columns, found


def _nested(path: Path) -> bool:
    """Whether any row holds its items inside."""
    from germane.ingest.bulk import inside_of, rows_of

    return any(not row.problem and inside_of(row.values) for row in rows_of(path))


def _items(
    wanted: Wanted,
    said: list[str],
    loaded: Loaded | None,
    rejected: Counter[str],
    first: dict[str, str],
) -> Iterator[Item]:
    from germane.domain.settings import Settings
    from germane.ingest.bulk import Shaper, Unusable, rows_of

    if wanted.items is None:
        return
    settings = loaded.settings if loaded is not None else Settings()
    mapping = _mapped(wanted, "items", wanted.items, said, settings)
    shaper = Shaper("catalogue", mapping, settings, now_ms=_now_ms())
    for row in rows_of(wanted.items):
        try:
            yield shaper.item(row)
        except Unusable as problem:
            rejected[problem.kind] += 1
            first.setdefault(problem.kind, _place(wanted.items, row))


def _place(path: Path, row: Row) -> str:
    return f"{path.name}, {place(path)} {row.number:,}"


def _derived(wanted: Wanted, said: dict[str, list[str]], items: list[Item]) -> Settings:
    from germane.app.backtest.derived import NAMELESS, settings_of
    from germane.ingest.bulk import Inside, inside_of, rows_of

    names: dict[str, None] = {}
    inside: dict[str, Inside] = {}
    orders = prices = False
    for path in wanted.files:
        fields = _columns("events", path, said["events"])[1].fields
        orders, prices = orders or "order_id" in fields, prices or "price" in fields
        column, nameless = fields.get("event", ""), wanted.event or NAMELESS
        if not column:
            names[nameless] = None
        if not column and "item_id" in fields:
            continue
        for row in rows_of(path):
            name = str(row.values.get(column) or "").strip() if column else nameless
            if row.problem or not name:
                continue
            names[name] = None
            held = inside_of(row.values) if name not in inside else None
            if held is not None:
                inside[name] = held
    traits: tuple[str, ...] = ()
    if wanted.people is not None:
        _, mapping = _columns("people", wanted.people, said["people"])
        traits = (*mapping.rest, *mapping.named)
    return settings_of(
        names, orders=orders, prices=prices, items=items, traits=traits, inside=inside
    )


def _rows(wanted: Wanted, kind: str, path: Path, said: list[str], intake: Intake) -> None:
    from germane.app.backtest.derived import NAMELESS
    from germane.ingest.bulk import Shaper, Unusable, count_rows, grouped, rows_of

    mapping = _mapped(wanted, kind, path, said, intake.settings)
    shaper = Shaper(
        _IMPORT_KIND[kind],
        mapping,
        intake.settings,
        now_ms=_now_ms(),
        event=wanted.event or ("" if "event" in mapping.fields else _only(intake) or NAMELESS),
    )
    timed, noticed = "timestamp" in mapping.fields, intake.noticed
    with progress(count_rows(path), f"Reading {path.name}", quiet=wanted.quiet) as advance:
        for rows in grouped(rows_of(path), shaper):
            noticed.rows += len(rows)
            advance(len(rows))
            try:
                intake.event(shaper.event(rows), timed=timed)
            except Unusable as problem:
                for row in rows:
                    reason = problem.of(row).kind
                    noticed.rejected[reason] += 1
                    noticed.first.setdefault(reason, _place(path, row))


def _only(intake: Intake) -> str:
    """The event of the only signal, where there is one: files without names mean that."""
    signals = list(intake.settings.signals.values())
    return signals[0].event if len(signals) == 1 else ""


# -- from the log ----------------------------------------------------------------------------------


def _from_log(wanted: Wanted, loaded: Loaded | None, spool: Any) -> Intake:
    """Events and items of a data folder, sealed ones, too; decisions and their outcomes are left out."""
    import msgspec

    from germane.app import putback
    from germane.app.backtest import Intake
    from germane.domain.event import Event
    from germane.domain.ids import DEFAULT_TENANT
    from germane.storage.sqlite import SqliteStore

    assert loaded is not None, "a log is read by its own configuration"
    folder = common.data_dir(loaded, wanted.config, wanted.data)
    intake = Intake(loaded.settings, _targets(loaded.settings, wanted.targets), spool)
    store = SqliteStore.open(folder, mode="read")
    try:
        putback.check(store, folder)
        for item in store.items(DEFAULT_TENANT):
            intake.item(item)
        with progress(store.last_seq(), "Reading the log", quiet=wanted.quiet) as advance:
            for record in store.read(0):
                advance(1)
                if record.kind == "event":
                    intake.noticed.rows += 1
                    intake.event(msgspec.msgpack.decode(record.body, type=Event))
    finally:
        store.close()
    return intake


# -- around it -------------------------------------------------------------------------------------


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _name(wanted: Wanted) -> str:
    if wanted.files:
        return ", ".join(path.name for path in wanted.files[:3])
    return "the log"


def _writable(wanted: Wanted) -> None:
    """Find out before the work, not after it."""
    read = {each.resolve() for each in (*wanted.files, wanted.items, wanted.people) if each}
    outs = [each for each in (wanted.out, wanted.json_file) if each is not None]
    if len({each.resolve() for each in outs}) < len(outs):
        raise WrongUse("--out and --json name one file.", hint="Name two.")
    for path in outs:
        if path.resolve() in read:
            raise WrongUse(
                f"{path} is read, so it cannot be where the report goes.", hint="Name another file."
            )
        _no_stranger(path)
        if path.is_dir() or not os.access(
            path if path.exists() else path.resolve().parent, os.W_OK
        ):
            raise GermaneError(
                f"{path} cannot be written.",
                hint="Name a file in a folder that is there and may be written.",
            )


def _no_stranger(path: Path) -> None:
    """Only a report of before is written over."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        start = file.read(1_000)
    if start and not any(each in start for each in _OURS):
        raise WrongUse(
            f"{path} is there already, and is no report of a backtest.", hint="Name another file."
        )


@contextmanager
def _stoppable() -> Iterator[Any]:
    """The first Ctrl-C asks to stop, the second one stops at once."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


def _say(findings: Findings, wanted: Wanted) -> None:
    from rich.markup import escape

    from germane.cli.report import plain_answer

    out = common.console()
    for each in findings.checks:
        if each.name.startswith(TOLD) and each.level != "good":
            value = each.value if each.meaning[:1].islower() else f"{each.value}."
            out.print(f"[yellow]{escape(f'{each.name}: {value} {each.meaning}')}[/]")
    out.print(f"\n[bold]{escape(plain_answer(findings))}[/]")
    out.print(f"The report: {escape(str(wanted.out))}")
