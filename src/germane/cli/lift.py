"""``lift``: what personalisation brings, by the holdout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from germane.cli import common
from germane.cli.common import DEFAULT_CONFIG, Config, Data, Json, many

if TYPE_CHECKING:
    from germane.app.lift import SurfaceLift
    from germane.domain.settings import Settings
    from germane.measure.holdout import Lift

DAYS = 14


def add_to(app: typer.Typer) -> None:
    """Put the command where it belongs."""
    app.command("lift")(lift)


def lift(
    surface: Annotated[
        str, typer.Argument(help="Name of a surface; none: all that have a holdout.")
    ] = "",
    days: Annotated[
        int,
        typer.Option(help="So long after their first decision a person counts.", min=1, max=365),
    ] = DAYS,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Tell whether personalisation pays: its people against the holdout's, as often as you like."""
    found = _found(surface, days, config, data, quiet=as_json)
    if as_json:
        import msgspec

        common.print_json(msgspec.to_builtins(found))
        return
    for number, each in enumerate(found):
        if number:
            common.console().print()
        _show(each)


def _found(
    surface: str, days: int, config: Path, data: Path | None, *, quiet: bool
) -> list[SurfaceLift]:
    from germane.app.lift import figures, gathered
    from germane.cli.progress import progress

    with common.opened(config, data, mode="read") as engine:
        names = _with_holdout(engine.settings, surface)
        reading = gathered(engine, names, days)
        with progress(engine.store.last_seq(), "Reading the log", quiet=quiet) as advance:
            log = common.to_its_end(reading, advance)
        return figures(log, now_ms=engine.world.now_ms())


def _with_holdout(settings: Settings, surface: str) -> list[str]:
    """Surfaces to tell of.

    Raises:
        UnknownSurface: there is none of that name.
        WrongUse: it has no holdout, or none has.
    """
    from germane.domain.errors import UnknownSurface, WrongUse

    if surface and surface not in settings.surfaces:
        known = ", ".join(sorted(settings.surfaces)) or "none"
        raise UnknownSurface(
            f"There is no surface named {surface!r}.",
            hint=f"Configured surfaces: {known}.",
            surface=surface,
        )
    asked = [settings.surfaces[surface]] if surface else [*settings.surfaces.values()]
    names = [each.name for each in asked if each.holdout_share > 0]
    if not names:
        which = surface or next(iter(settings.surfaces), "NAME")
        raise WrongUse(
            f"{surface} has no holdout." if surface else "No surface has a holdout.",
            hint=f"Give it one: holdout_share = 0.1 under [surfaces.{which}]. From then on a tenth of the "
            "people get the default list, always the same ones, and the others are compared with them.",
        )
    return names


def _show(found: SurfaceLift) -> None:
    from rich.markup import escape
    from rich.table import Table

    from germane.app.lift_words import TITLES, mean, percent

    out = common.console()
    out.print(
        f"[bold]{escape(found.surface)}[/]  [dim]holdout {found.holdout_share:.0%}, "
        f"{many(found.days, 'day')} of each person; {many(found.people, 'person', 'people')}, "
        f"{found.waiting:,} of them still under way[/]"
    )
    if found.measures:
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("a person")
        for title in ("personalised", "holdout", "more, with its 95 % interval"):
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
