"""What an import did, for people and for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from germane.cli import common
from germane.cli.common import many
from germane.cli.errors import FAILED, IN_PART
from germane.cli.forewarned import told

if TYPE_CHECKING:
    from germane.domain.moves import Stated
    from germane.domain.settings import Settings
    from germane.ingest.bulk import Row, Shaper, Unusable

STATUS = {0: "complete", IN_PART: "partial", FAILED: "failed"}
"""Exit code -> what programs are told."""
DONE = {0: "", IN_PART: " a part of", FAILED: " none of"}
"""Exit code -> how much of the rows was taken, for people."""
COLOURS = {0: "green", IN_PART: "yellow", FAILED: "red"}
EXAMPLES = 5
"""Of many names, so many are told."""


class Read(NamedTuple):
    """What signals read in an event."""

    strange: Collection[str]
    """Items that the catalogue does not have."""
    anything: bool
    wrong: bool
    """Whether something could not be read: that makes dead letters."""


@dataclass(slots=True)
class Summary:
    """Counts of an import."""

    rows: int = 0
    read: list[str] = field(default_factory=list)
    """Names of the files that were read to their end."""
    stopped: bool = False
    """Whether it was said that they were not."""
    accepted: int = 0
    """New events or statements; items that are new or changed."""
    duplicates: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Why rows cannot be used, with the remedy."""
    cells: Counter[str] = field(default_factory=Counter)
    """Why cells of rows that are taken are left out."""
    first_rows: dict[str, str] = field(default_factory=dict)
    """Reason -> the first row of it."""
    first_ms: int = 0
    last_ms: int = 0
    seconds: float = 0.0
    people: set[str] = field(default_factory=set)
    usable: int = 0
    """Events, items or statements that the rows are."""
    letters: int = 0
    """Dead letters that were made: what events could not be used for."""
    wrong: list[str] = field(default_factory=list)
    """What is told by some of them, each once."""
    letters_again: int = 0
    """Those that would be the same as ones that wait."""
    unkept: int = 0
    """Events of which nothing may be kept: their people have opted out, or have not agreed."""
    refused: int = 0
    """Events of which nothing is kept, for nothing declares them."""
    undeclared: Counter[str] = field(default_factory=Counter)
    """Names of what is refused because nothing declares it."""
    remedies: dict[str, str] = field(default_factory=dict)
    """Name of these -> what to do about it."""
    unfolded: int = 0
    """Events that could not be folded at all."""
    barren: int = 0
    """Events in which no signal could read what it is declared for: an item is missing."""
    spoilt: int = 0
    """Events that signals could read in part."""
    outdated: int = 0
    """Statements that are recorded and change nothing: something newer was said already."""
    taken_back: Counter[str] = field(default_factory=Counter)
    """Whose noes are older than the yes that stood, and undid it -> how many."""
    over: int = 0
    """Yeses whose end has come already."""
    apart: int = 0
    """Orders whose lines did not all follow one another."""
    in_part: int = 0
    """Orders of which a part was taken before a line that cannot be used."""
    parted: list[str] = field(default_factory=list)
    """The first of them."""
    doubled: int = 0
    """Lines that repeat another one of their order exactly."""
    items: dict[str, bool] = field(default_factory=dict)
    """Item -> whether it is new or changed."""
    repeated: Counter[str] = field(default_factory=Counter)
    """Items that more than one row describes -> rows beyond the first."""
    remarks: list[str] = field(default_factory=list)
    """What to know of such files, and of earlier imports of them."""
    unused: Counter[str] = field(default_factory=Counter)
    """Names of events for which no signal is declared."""
    uncatalogued: Counter[str] = field(default_factory=Counter)
    """Items that the catalogue does not have -> events that speak of them."""
    waiting: list[str] = field(default_factory=list)
    """Attributes in which no interest is learned yet: there is no catalogue."""
    astray: int = 0
    """Events that speak of such items."""
    aged: int = 0
    """Rows of what is older than what is kept."""
    unknown_zones: Counter[str] = field(default_factory=Counter)
    """Time zones that people are said to be in, and that there are none of -> rows."""

    @property
    def unusable(self) -> int:
        """Events of which nothing could be used."""
        return self.unfolded + self.refused + self.barren

    @property
    def exit_code(self) -> int:
        """0 when every row could be used, or is known already."""
        used = self.accepted + self.duplicates + self.unkept > self.barren
        if self.rows and (self.rejected == self.rows or (self.unusable and not used)):
            return FAILED
        return IN_PART if self.rejected or self.unusable or self.spoilt or self.cells else 0

    def met(self, person: str, at_ms: int) -> None:
        """Note what can be used of somebody, and when it was."""
        self.first_ms = min(self.first_ms, at_ms) if self.usable else at_ms
        self.usable += 1
        self.last_ms = max(self.last_ms, at_ms)
        self.people.add(person)

    def zone(self, name: Any) -> None:
        """Note the time zone of a person's row."""
        from germane.domain.hours import known_zone

        if name is not None and not (isinstance(name, str) and known_zone(name)):
            self.unknown_zones[str(name)] += 1

    def looked_at(self, read: Read) -> None:
        """Note what signals read in an event."""
        self.astray += bool(read.strange)
        self.uncatalogued.update(read.strange)
        self.barren += read.wrong and not read.anything
        self.spoilt += read.wrong and read.anything

    def item(self, item_id: str, *, changed: bool) -> None:
        """Note a row of a catalogue."""
        self.usable += 1
        if item_id in self.items:
            self.repeated[item_id] += 1
        self.items[item_id] = changed or self.items.get(item_id, False)

    def reject(self, source: Path, row: Row, problem: Unusable) -> None:
        """Note a row that cannot be used."""
        self.rejected += 1
        self.reasons[problem.kind] += 1
        self.first_rows.setdefault(problem.kind, f"{source.name}, {place(source)} {row.number}")

    def left_out(self, source: Path, row: Row, problems: Iterable[Unusable]) -> None:
        """Note cells that are left out of a row that is taken."""
        for each in problems:
            self.cells[each.kind] += 1
            self.first_rows.setdefault(each.kind, f"{source.name}, {place(source)} {row.number}")

    def undid(self, noes: Iterable[Stated]) -> None:
        """Note noes that are older than the yes that stood."""
        self.taken_back.update(each.person.removeprefix("u:") for each in noes)

    def looked(self, shaper: Shaper) -> None:
        """Note what was seen of the orders of a file."""
        orders = shaper.orders
        self.apart += orders.apart
        self.in_part += orders.in_part
        self.parted += orders.named
        self.doubled += shaper.doubled
        self._texts(shaper)
        if shaper.messages:
            self.remark(
                f"{many(shaper.messages, 'row is a message', 'rows are messages')} of the tracking API, and "
                "taken as the API takes them."
            )

    def _texts(self, shaper: Shaper) -> None:
        """What may be meant for something else than the text that it is."""
        for name, value in shaper.in_one.items():
            self.remark(f"{name} is a list, and {value!r} is one value of it: | separates them.")
        if shaper.textual:
            told = ", ".join(f"{name} ({value!r})" for name, value in shaper.textual.items())
            self.remark(
                f"Kept as texts, for a cell of a CSV is one: {told}. A condition that compares such a trait "
                "with a number, or with true or false, never holds of them. Compare it with a text, or import "
                "JSON lines or Parquet, which tell numbers and flags from texts."
            )

    def remedy(self, settings: Settings) -> None:
        """Note what to do about what is not declared."""
        from germane.privacy.declared import Declared

        found = Declared(settings).remedies(self.undeclared, lambda _: False)
        self.remedies = dict(found)

    def remark(self, text: str) -> None:
        """Something to know; each once."""
        if text and text not in self.remarks:
            self.remarks.append(text)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        from germane.profile.view import rfc3339

        return {
            "status": STATUS[self.exit_code],
            "rows": self.rows,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "repeated": self.repeated.total(),
            "rejected": self.rejected,
            "rejectedShare": round(self.rejected / self.rows, 4) if self.rows else 0.0,
            "notKept": self.unkept,
            "refused": self.refused,
            "undeclared": dict(self.undeclared.most_common()),
            "deadLetters": self.letters,
            "deadLettersKnown": self.letters_again,
            "deadLetterExamples": self.wrong[:EXAMPLES],
            "unusable": self.unusable,
            "usableInPart": self.spoilt,
            "outdated": self.outdated,
            "takenBack": self.taken_back.total(),
            "takenBackExamples": [*self.taken_back][:EXAMPLES],
            "over": self.over,
            "ordersApart": self.apart,
            "ordersInPart": self.in_part,
            "linesDoubled": self.doubled,
            "reasons": dict(self.reasons.most_common()),
            "cellsLeftOut": dict(self.cells.most_common()),
            "firstRows": self.first_rows,
            "remarks": self.remarks,
            "olderThanKept": self.aged,
            "interestsWaiting": self.waiting,
            "unknownZones": dict(self.unknown_zones.most_common()),
            "notInCatalogue": {
                "events": self.astray,
                "items": len(self.uncatalogued),
                "examples": [each for each, _ in self.uncatalogued.most_common(EXAMPLES)],
            },
            "unused": dict(self.unused.most_common()),
            "people": len(self.people),
            "first": rfc3339(self.first_ms),
            "last": rfc3339(self.last_ms),
            "seconds": round(self.seconds, 2),
            "rowsPerSecond": round(self.rows / self.seconds) if self.seconds else None,
        }


def place(source: Path) -> str:
    """What rows of a file are counted in."""
    return "row" if source.suffix.lower() == ".parquet" else "line"


def report(summary: Summary, kind: str, *, as_json: bool, dry_run: bool) -> None:
    """Print it."""
    if as_json:
        common.print_json(summary.as_dict())
        return
    from rich.markup import escape

    out = common.console()
    code = summary.exit_code
    done = ("Would import" if dry_run else "Imported") + DONE[code]
    out.print(
        f"[bold {COLOURS[code]}]{done}[/] {many(summary.rows, 'row')} in {summary.seconds:.1f} s: "
        f"{_counted(summary, kind, dry_run=dry_run)}, {many(summary.rejected, 'row')} rejected."
    )
    if summary.people:
        from germane.profile.view import rfc3339

        out.print(
            f"{many(len(summary.people), 'person', 'people')}, {rfc3339(summary.first_ms)} to "
            f"{rfc3339(summary.last_ms)}."
        )
    for reason, count in summary.reasons.most_common(10):
        first = summary.first_rows.get(reason, "")
        out.print(f"  [yellow]{count:,}[/] × {escape(reason)}; the first: {escape(first)}")
    _more(summary.reasons, 10, "reason", "--rejects FILE has all of them, row by row")
    for reason, count in summary.cells.most_common(10):
        first = summary.first_rows.get(reason, "")
        out.print(
            f"  [yellow]{count:,}[/] × {escape(reason)}, left out; the first: {escape(first)}"
        )
    _more(summary.cells, 10, "reason", "--json has them")
    for remark in (*summary.remarks, *_noticed(summary, dry_run=dry_run)):
        out.print(f"[yellow]{escape(remark)}[/]")
    for name, count in summary.unused.most_common(10):
        out.print(
            f"  [yellow]{count:,}[/] × {escape(repr(name))}: kept, but no signal is declared for it"
        )
    _more(summary.unused, 10, "event", "--json names them")
    for name, count in summary.undeclared.most_common(20):
        remedy = summary.remedies.get(name, "")
        out.print(
            f"  [yellow]{count:,}[/] × {escape(name)}: refused, nothing declares it. {escape(remedy)}"
        )
    _more(summary.undeclared, 20, "name", "--json has them")
    if code:
        out.print(f"[bold {COLOURS[code]}]{_lost(summary)}[/] Exit code {code}.")


def _lost(summary: Summary) -> str:
    """How much could not be used, and what to do: what somebody sees who looks at the end alone."""
    found = []
    if summary.rejected:
        share = max(summary.rejected / summary.rows, 0.001)
        found.append(
            f"{summary.rejected:,} of {many(summary.rows, 'row')} ({share:.1%}) cannot be used: mend that and "
            "import the file again; what is stored counts once."
        )
    if summary.unusable:
        found.append(f"{many(summary.unusable, 'event')} could not be used.")
    if summary.spoilt:
        found.append(f"{many(summary.spoilt, 'event')} could be used in part alone.")
    if summary.cells:
        cells = many(summary.cells.total(), "cell is", "cells are")
        found.append(f"{cells} left out, and their items are without them.")
    return " ".join(found)


def _more(of: Counter[str], shown: int, what: str, where: str) -> None:
    """That there are others, if there are, and where they are to be seen."""
    if len(of) > shown:
        common.console().print(f"  … and {many(len(of) - shown, f'other {what}')}: {where}.")


def _counted(summary: Summary, kind: str, *, dry_run: bool) -> str:
    if dry_run and kind == "catalogue":  # what is known already is not looked up
        return many(len(summary.items), "item")
    if dry_run and kind == "consents":
        return many(summary.usable, "statement")
    new = many(summary.accepted, "new statement" if kind == "consents" else "new event")
    if kind == "catalogue":
        new = f"{many(summary.accepted, 'item')} new or changed"
    unkept = f", {summary.unkept:,} not kept" if summary.unkept else ""
    unkept += f", {summary.refused:,} refused" if summary.refused else ""
    return f"{new}{unkept}, {summary.duplicates:,} known already"


def _some(names: list[str]) -> str:
    """The first of them, and that there are others."""
    return ", ".join(names[:EXAMPLES]) + (" and others" if len(names) > EXAMPLES else "")


def _noticed(summary: Summary, *, dry_run: bool) -> list[str]:
    """What is worth a look in the file or in the dead letters."""
    found = []
    if summary.unkept:
        each = ("event would", "events would") if dry_run else ("event was", "events were")
        found.append(
            f"{many(summary.unkept, *each)} not {'be ' if dry_run else ''}kept: their people have opted out, "
            "or have not agreed (germane privacy tells what needs a yes). Write down what they said (germane "
            "consent), then import the file again."
        )
    if summary.outdated:
        found.append(
            f"{many(summary.outdated, 'statement is', 'statements are')} in the ledger and changed nothing: "
            "what these people said later stands."
        )
    if summary.taken_back:
        noes, names = many(summary.taken_back.total(), "no", "noes"), _some([*summary.taken_back])
        undo, way_out = ("would undo", "; or take these rows out.") if dry_run else ("undid", ".")
        found.append(
            f"{noes} {undo} a yes that is newer, of {names}: a no always stands, whenever it was said. "
            f"Whoever agreed since has to say so again{way_out}"
        )
    if summary.over:
        found.append(
            f"{many(summary.over, 'yes was', 'yeses were')} over already: it is as if they had never been said."
        )
    if summary.repeated:
        found.append(
            f"{many(len(summary.repeated), 'item stands', 'items stand')} in more than one row "
            f"({_some([*summary.repeated])}): the last row counts. Keep one row for each item."
        )
    if summary.apart:
        found.append(
            f"{many(summary.apart, 'order')} had lines apart from one another: each part is an event of "
            "its own, and what was bought together is not seen. Sort the file by order."
        )
    if summary.in_part:
        more = " and others" if summary.in_part > len(summary.parted) else ""
        found.append(
            f"{many(summary.in_part, 'order')} ({', '.join(summary.parted)}{more}) had a line that cannot "
            "be used below others that were taken: of these only the lines above it count. Mend the line and "
            "import the file again."
        )
    if summary.doubled:
        found.append(
            f"{many(summary.doubled, 'line repeats', 'lines repeat')} another one of the same order exactly, "
            "and counts once with it. If pieces are meant, give them a quantity, or the lines an id."
        )
    return found + _meant(summary) + _letters(summary, dry_run=dry_run)


def _meant(summary: Summary) -> list[str]:
    """What of the values could not be meant, or is of no effect."""
    found = []
    if summary.barren:
        found.append(
            f"{many(summary.barren, 'event names', 'events name')} no item where the signal reads it, and "
            "counts for nothing: name the column that holds its id (--map item_id=COLUMN)."
        )
    if summary.waiting:
        found.append(told(summary.waiting))
    if summary.astray:
        names = _some([each for each, _ in summary.uncatalogued.most_common()])
        found.append(
            f"{many(summary.astray, 'event speaks', 'events speak')} of "
            f"{many(len(summary.uncatalogued), 'item')} that the catalogue does not have ({names}): "
            "they are not shown, and what these events tell of interests waits, until it has them. Import the "
            "catalogue (germane import catalogue FILE), or name the column that holds its ids (--map "
            "item_id=COLUMN). What you do not offer any more may be missing."
        )
    if summary.aged:
        found.append(
            f"{many(summary.aged, 'row is', 'rows are')} older than what is kept, and of no effect: after 24 "
            "months, or what [privacy.retention] says, nothing counts any more. If the column of the time "
            "tells something else, name the right one: --map timestamp=COLUMN."
        )
    if summary.unknown_zones:
        names = _some([repr(each) for each, _ in summary.unknown_zones.most_common()])
        found.append(
            f"{many(summary.unknown_zones.total(), 'row names', 'rows name')} a time zone that there is not "
            f"({names}): the row is kept, and the clock that is known else is theirs. Write it like "
            "Europe/Berlin."
        )
    return found


def _letters(summary: Summary, *, dry_run: bool) -> list[str]:
    """Where what could not be used waits; in a dry run, what would be wrong with it."""
    found = []
    whole = f", {summary.unfolded:,} of them whole events" if summary.unfolded else ""
    letters = f"{many(summary.letters, 'dead letter')}{whole}"
    if summary.letters and dry_run:
        found.append(f"{letters} would be made of what cannot be used, such as:")
        found += [f"  {each}" for each in summary.wrong[:EXAMPLES]]
    elif summary.letters:
        found.append(
            f"{letters}: what could not be used, and why, is told by germane dead-letters list."
        )
    if summary.letters_again:
        found.append(
            f"{many(summary.letters_again, 'event')} could not be used before either: "
            f"{'its dead letter waits' if summary.letters_again == 1 else 'their dead letters wait'} already "
            "(germane dead-letters list)."
        )
    return found
