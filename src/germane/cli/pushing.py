"""What is in a folder against what is in the data folder: new, changed, the same, gone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from germane.cli import common
from germane.cli.common import many


class Difference(NamedTuple):
    """Names, each in one of the four lists."""

    new: list[str]
    changed: list[str]
    same: list[str]
    gone: list[str]
    """There, and not in the folder."""

    @property
    def wanted(self) -> list[str]:
        """What is to be sent."""
        return [*self.new, *self.changed]

    def without(self, names: Collection[str]) -> Difference:
        """The same, but for some that were not taken."""
        new, changed = ([x for x in each if x not in names] for each in (self.new, self.changed))
        return self._replace(new=new, changed=changed)


def difference(written: Mapping[str, str], there: Mapping[str, str]) -> Difference:
    """Compare by version.

    Args:
        written: Name -> version, of the folder.
        there: Name -> version, of the data folder.
    """
    return Difference(
        sorted(written.keys() - there.keys()),
        sorted(x for x in written.keys() & there.keys() if written[x] != there[x]),
        sorted(x for x in written.keys() & there.keys() if written[x] == there[x]),
        sorted(there.keys() - written.keys()),
    )


def show(found: Difference, left: str) -> None:
    """A line each. ``left``: what is said of those that are gone."""
    out = common.console()
    marks = (
        ("new", "green", found.new),
        ("changed", "yellow", found.changed),
        ("same", "dim", found.same),
        ("gone", "red", found.gone),
    )
    for mark, colour, names in marks:
        for name in names:
            note = f"  [dim]{left}[/]" if mark == "gone" else ""
            out.print(f"  [{colour}]{mark:<7}[/]  {name}{note}")


def told(found: Difference, removed: list[str], *, dry_run: bool, **more: Any) -> dict[str, Any]:
    """The same for programs."""
    return {
        "new": found.new,
        "changed": found.changed,
        "same": found.same,
        "gone": found.gone,
        "removed": removed,
        "pushed": not dry_run,
        **more,
    }


def summary(found: Difference, removed: list[str], removal: str, *, dry_run: bool) -> None:
    """The last line. ``removal``: what becomes of those that are removed, as one says that it *was*."""
    out = common.console()
    if dry_run:
        would = [f"{len(found.wanted)} would be"]
        would += [f"{', '.join(removed)} would be {removal}"] if removed else []
        out.print(f"\nNothing was pushed (--dry-run); {', and '.join(would)}.")
        return
    if not found.wanted and not removed:
        out.print("\nEverything is as it was.")
        return
    said = [f"[bold green]Pushed[/] {many(len(found.wanted), 'file')}"] if found.wanted else []
    said += [f"{removal}: {', '.join(removed)}"] if removed else []
    out.print(f"\n{'; '.join(said)}.")
