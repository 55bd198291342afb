"""``content outcomes``: what each variant brought, and the writer's texts against a person's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from germane.cli import common

if TYPE_CHECKING:
    from germane.app.outcomes import ContentOutcomes
    from germane.app.outcomes.figures import Answers, SlotOutcomes
    from germane.measure.versus import Rate

AUTHORS = {"person": "a person", "writer": "the writer"}
TITLES = {"clicked": "clicked", "goal": "goal", "opened": "opened", "left": "left"}


def run(name: str, config: Path, data: Path | None, *, as_json: bool) -> None:
    """Read everything, and show it.

    Raises:
        UnknownContent: there is no content of that name.
    """
    found = _found(name, config, data, quiet=as_json)
    if as_json:
        common.print_json(found.view())
        return
    out = common.console()
    out.print(
        f"[bold]{found.content}[/]  [dim]answers within {found.window_s // 86_400} days of sending; "
        "shares in per cent, with 95 % intervals[/]"
    )
    for each in found.slots:
        _show(each)
    for note in found.notes:
        out.print(f"\n[yellow]![/] {note}")


def _found(name: str, config: Path, data: Path | None, *, quiet: bool) -> ContentOutcomes:
    from germane.app.outcomes import figures, gathered, steps_of
    from germane.cli.progress import progress

    with common.opened(config, data, mode="read") as engine:
        reading = gathered(engine, engine.library.content(name))
        with progress(steps_of(engine), "Reading the log", quiet=quiet) as advance:
            answered = common.to_its_end(reading, advance)
    return figures(answered)


def _show(slot: SlotOutcomes) -> None:
    from rich.markup import escape
    from rich.table import Table

    out = common.console()
    measures = list(slot.variants[0].answers) if slot.variants else []
    out.print(f"\n[bold]{escape(slot.slot)}[/]")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("variant", "by", "chosen", "sent", "edited", "counted"):
        table.add_column(title, justify="left" if title in ("variant", "by") else "right")
    for measure in measures:
        table.add_column(TITLES[measure], justify="right")
    table.add_column("clicked, for all", justify="right")
    for each in slot.variants:
        numbers = (each.chosen, each.sent, each.edited, each.counted)
        table.add_row(
            escape(each.variant) if each.offered else f"[dim]{escape(each.variant)} (gone)[/]",
            AUTHORS[each.author],
            *(f"{number:,}" for number in numbers),
            *(_rate(each.answers[measure]) for measure in measures),
            _span(each.answers["clicked"].for_all),
        )
    out.print(table)
    out.print(f"[bold]{escape(slot.answer)}[/]", soft_wrap=True)
    for measure, compared in slot.writer_against_person.items():
        if measure != "clicked":
            out.print(f"[dim]{TITLES[measure]}:[/] {escape(compared.text)}", soft_wrap=True)
    for note in slot.notes:
        out.print(f"[yellow]![/] {escape(note)}", soft_wrap=True)


def _rate(answers: Answers) -> str:
    return f"{answers.count:,}  {_span(answers.rate)}" if answers.rate is not None else "-"


def _span(rate: Rate | None) -> str:
    if rate is None:
        return "-"
    return f"{100 * rate.value:.1f} ({100 * rate.low:.1f}-{100 * rate.high:.1f})"
