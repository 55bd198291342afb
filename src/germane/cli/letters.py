"""``dead-letters``: list, show, replay, dismiss."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from germane.cli import common
from germane.cli.asking import there
from germane.cli.progress import progress
from germane.domain.errors import NotFound, StorageBusy, WrongUse

if TYPE_CHECKING:
    from germane.app import Engine

_PAGE = 100
GROUP = 100
"""Dead letters that are settled together."""
PATIENCE_S = 120
"""For a group of them, while the server has other things to do."""
NAMED = 5
"""Of those that failed for the same reason, so many are named."""
Do = Literal["replay", "dismiss"]
_DONE: dict[Do, str] = {"replay": "replayed", "dismiss": "dismissed"}


def list_all(
    config: Path, data: Path | None, limit: int, *, everything: bool, as_json: bool
) -> None:
    """A line each."""
    from germane.api.wire import letter_in_brief

    with common.opened(config, data, mode="read") as engine:
        found = engine.letters(limit=limit + 1, pending_only=not everything)
    more, found = len(found) > limit, found[:limit]
    if as_json:
        common.print_json([letter_in_brief(each) for each in found])
        return
    out = common.console()
    if not found:
        none = (
            "No dead letters."
            if everything
            else "No dead letters wait (--all: also those that are done)."
        )
        out.print(none)
        return
    from rich.markup import escape

    for each in found:
        view = letter_in_brief(each)
        done = " [green](replayed)[/]" if each.replayed_ms else ""
        done += " [dim](dismissed)[/]" if each.dismissed_ms else ""
        out.print(
            f"[bold]{each.letter_id}[/]  {view['received']}  {each.source}  "
            f"[yellow]{each.code}[/]  {escape(each.message)}{done}"
        )
    if more:
        out.print(f"[dim]… and more: these are the oldest {limit:,} (--limit).[/]")


def show(number: int, config: Path, data: Path | None, *, as_json: bool) -> None:
    """One, with its body."""
    from germane.api.wire import letter_view

    with common.opened(config, data, mode="read") as engine:
        found = engine.store.letter(number)
    if found is None:
        raise NotFound(f"There is no dead letter {number}.")
    view = letter_view(found)
    if as_json:
        common.print_json(view)
        return
    from rich.markup import escape

    out = common.console()
    view |= {name: view[name] or "no" for name in ("replayed", "dismissed")}
    for name in ("letterId", "received", "source", "code", "message", "replayed", "dismissed"):
        out.print(f"[dim]{name:>9}[/] {escape(str(view[name]))}")
    out.print(view["body"], markup=False)


def _pending(engine: Engine) -> list[int]:
    """Numbers of all that wait; read by the page, because a letter may be as large as a batch."""
    found: list[int] = []
    while page := engine.letters(after=found[-1] if found else 0, limit=_PAGE):
        found += [each.letter_id for each in page]
    return found


def replay(numbers: list[int], config: Path, data: Path | None, *, yes: bool, as_json: bool) -> int:
    """Try again; 1 when some still cannot be used. A running server is asked to do it."""
    return _settle("replay", numbers, config, data, yes=yes, as_json=as_json)


def dismiss(
    numbers: list[int],
    config: Path,
    data: Path | None,
    *,
    everything: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Say that nothing is to be done about them; 1 when some could not be dismissed.

    Raises:
        WrongUse: neither numbers nor all are meant, or both.
    """
    if everything == bool(numbers):
        raise WrongUse(
            "Which dead letters are to be dismissed?",
            hint="Say which: dead-letters dismiss 1 2; or --all that are pending.",
        )
    return _settle("dismiss", numbers, config, data, yes=yes, as_json=as_json)


def _settle(
    do: Do, numbers: list[int], config: Path, data: Path | None, *, yes: bool, as_json: bool
) -> int:
    wanted = numbers
    if not numbers:
        with common.opened(config, data, mode="read") as engine:
            wanted = _pending(engine)
        if len(wanted) > 1 and not yes and not _agreed(do, len(wanted)):
            return 1
    results: dict[int, str] = {}
    groups = [wanted[start : start + GROUP] for start in range(0, len(wanted), GROUP)]
    with progress(len(wanted), f"Dead letters {_DONE[do]}", quiet=as_json) as advance:
        try:
            with common.opened(config, data, mode="write") as engine:
                for group in groups:
                    results |= engine.settle_letters(do, group)
                    advance(len(group))
        except StorageBusy:
            for group in groups:
                results |= _there(do, config, data, group)
                advance(len(group))
    _tell(do, results, as_json=as_json)
    return int(any(results.values()))


def _agreed(do: Do, count: int) -> bool:
    """Whether all of them are meant.

    Raises:
        WrongUse: there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise WrongUse(
            f"{count} dead letters would be {_DONE[do]}, and there is nobody to ask.",
            hint=f"Say which: dead-letters {do} 1 2; or add --yes for all.",
        )
    if typer.confirm(f"{do.capitalize()} {count} dead letters?"):
        return True
    common.console().print(f"Nothing was {_DONE[do]}.")
    return False


def _there(do: Do, config: Path, data: Path | None, numbers: list[int]) -> dict[int, str]:
    """Have the server that runs do it with some; of each empty, or why it could not."""
    body = {"letterIds": numbers}
    failed = there(config, data, f"/v1/dead-letters/{do}", body, patience_s=PATIENCE_S)["failed"]
    return {number: failed.get(str(number), "") for number in numbers}


def _tell(do: Do, results: dict[int, str], *, as_json: bool) -> None:
    failed = {number: text for number, text in results.items() if text}
    if as_json:
        common.print_json({_DONE[do]: len(results) - len(failed), "failed": failed})
        return
    from rich.markup import escape

    out = common.console()
    if not results:
        out.print("No dead letters wait.")
        return
    out.print(f"{_DONE[do].capitalize()} {len(results) - len(failed):,} of {len(results):,}.")
    for text, numbers in _by_reason(failed).items():
        some = ", ".join(map(str, numbers[:NAMED]))
        more = f" and {len(numbers) - NAMED:,} more" if len(numbers) > NAMED else ""
        out.print(f"  [yellow]{some}{more}[/]: {escape(text)}", markup=True)


def _by_reason(failed: dict[int, str]) -> dict[str, list[int]]:
    """Reason -> which have it; the one that most have first."""
    found: dict[str, list[int]] = {}
    for number, text in failed.items():
        found.setdefault(text, []).append(number)
    return dict(sorted(found.items(), key=lambda each: -len(each[1])))
