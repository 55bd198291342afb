"""``lift``: what personalisation brings, by the holdout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from germane.cli import common
from germane.cli.common import DEFAULT_CONFIG, Config, Data, Json, many

if TYPE_CHECKING:
    from germane.app.engine import Engine
    from germane.app.lift import Told
    from germane.measure.holdout import Lift

DAYS = 14


def add_to(app: typer.Typer) -> None:
    """Put the command where it belongs."""
    app.command("lift")(lift)


def lift(
    name: Annotated[
        str, typer.Argument(help="Of a surface or a campaign; none: all that have a holdout.")
    ] = "",
    days: Annotated[
        int,
        typer.Option(
            help="So long after their first decision or message a person counts.", min=1, max=365
        ),
    ] = DAYS,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Tell whether personalisation pays: its people against the holdout's, as often as you like."""
    found = _found(name, days, config, data, quiet=as_json)
    if as_json:
        import msgspec

        common.print_json(msgspec.to_builtins(found))
        return
    for number, each in enumerate(found):
        if number:
            common.console().print()
        _show(each)


def _found(name: str, days: int, config: Path, data: Path | None, *, quiet: bool) -> list[Told]:
    from germane.app.lift import figures, gathered, steps_of
    from germane.cli.progress import progress

    with common.opened(config, data, mode="read") as engine:
        names = _with_holdout(engine, name)
        reading = gathered(engine, names, days)
        with progress(steps_of(engine, names), "Reading the log", quiet=quiet) as advance:
            log = common.to_its_end(reading, advance)
        return figures(log, now_ms=engine.world.now_ms())


def _with_holdout(engine: Engine, name: str) -> list[str]:
    """Surfaces and campaigns to tell of.

    Raises:
        NotFound: there is none of that name.
        WrongUse: it has no holdout, or none has.
    """
    from germane.app.lift import held_out_of
    from germane.domain.errors import NotFound, WrongUse

    there = held_out_of(engine)
    if name and all(each != name for each, _ in there):
        known = ", ".join(each for each, _ in there) or "none"
        raise NotFound(
            f"There is no surface and no campaign named {name!r}.", hint=f"There are: {known}."
        )
    names = [each for each, share in there if share > 0 and name in ("", each)]
    if not names:
        raise WrongUse(
            f"{name} has no holdout." if name else "Nothing has a holdout.",
            hint="Give it one: holdout_share = 0.1, under its [surfaces.NAME] or in its campaign file. From "
            "then on a tenth of the people get the default list, or no message, always the same ones, and the "
            "others are compared with them.",
        )
    return list(dict.fromkeys(names))


def _show(found: Told) -> None:
    from rich.markup import escape
    from rich.table import Table

    from germane.app.lift.words import TITLES, mean, percent

    out = common.console()
    out.print(
        f"[bold]{escape(found.name)}[/]  [dim]{found.kind}, holdout {found.holdout_share:.0%}, "
        f"{many(found.days, 'day')} of each person; {many(found.people, 'person', 'people')}, "
        f"{found.waiting:,} of them still under way[/]"
    )
    if found.measures:
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("a person")
        ours = "personalised" if found.kind == "surface" else "with messages"
        for title in (ours, "holdout", "more, with its 95 % interval"):
            table.add_column(title, justify="right")
        for each in found.measures:
            lift = each.lift
            table.add_row(
                TITLES[each.measure],
                f"{mean(each.measure, lift.personalised)}  [dim]of {lift.personalised.people:,}[/]",
                f"{mean(each.measure, lift.holdout)}  [dim]of {lift.holdout.people:,}[/]",
                percent(lift) if lift.ratio is not None else _why_not(lift),
            )
        out.print(table)
    out.print(f"[bold]{escape(found.answer)}[/]", soft_wrap=True)
    for note in found.notes:
        out.print(f"[yellow]![/] {escape(note)}", soft_wrap=True)


def _why_not(lift: Lift) -> str:
    return "too few yet" if lift.verdict == "too_few" else "-"
