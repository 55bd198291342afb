"""``dead-letters``: list, show, replay."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from germane.cli import common
from germane.cli.asking import there
from germane.domain.errors import NotFound, StorageBusy, WrongUse

if TYPE_CHECKING:
    from germane.app import Engine

_PAGE = 100


def list_all(
    config: Path, data: Path | None, limit: int, *, everything: bool, as_json: bool
) -> None:
    """A line each."""
    from germane.api.wire import letter_in_brief

    with common.opened(config, data, mode="read") as engine:
        found = engine.letters(limit=limit, pending_only=not everything)
    if as_json:
        common.print_json([letter_in_brief(each) for each in found])
        return
    out = common.console()
    if not found:
        out.print("No dead letters: everything that came could be used.")
        return
    from rich.markup import escape

    for each in found:
        view = letter_in_brief(each)
        done = " [green](replayed)[/]" if each.replayed_ms else ""
        out.print(
            f"[bold]{each.letter_id}[/]  {view['received']}  {each.source}  "
            f"[yellow]{each.code}[/]  {escape(each.message)}{done}"
        )


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
    view["replayed"] = view["replayed"] or "no"
    for name in ("letterId", "received", "source", "code", "message", "replayed"):
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
    wanted = numbers
    if not numbers:
        with common.opened(config, data, mode="read") as engine:
            wanted = _pending(engine)
        if len(wanted) > 1 and not yes and not _agreed(len(wanted)):
            return 1
    try:
        with common.opened(config, data, mode="write") as engine:
            results = {number: engine.replay_letter(number) for number in wanted}
    except StorageBusy:
        results = {number: _there(config, number) for number in wanted}
    _tell(results, as_json=as_json)
    return int(any(results.values()))


def _agreed(count: int) -> bool:
    """Whether all of them are meant.

    Raises:
        WrongUse: there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise WrongUse(
            f"{count} dead letters would be replayed, and there is nobody to ask.",
            hint="Say which: dead-letters replay 1 2; or add --yes for all.",
        )
    if typer.confirm(f"Replay {count} dead letters?"):
        return True
    common.console().print("Nothing was replayed.")
    return False


def _there(config: Path, number: int) -> str:
    """Have the server that runs replay one; empty, or why it could not."""
    try:
        return str(there(config, f"/v1/dead-letters/{number}/replay", {})["reason"])
    except NotFound:
        return "there is no such dead letter"


def _tell(results: dict[int, str], *, as_json: bool) -> None:
    failed = {number: text for number, text in results.items() if text}
    if as_json:
        common.print_json({"replayed": len(results) - len(failed), "failed": failed})
        return
    from rich.markup import escape

    out = common.console()
    if not results:
        out.print("No dead letters wait.")
        return
    out.print(f"Replayed {len(results) - len(failed)} of {len(results)}.")
    for number, text in failed.items():
        out.print(f"  [yellow]{number}[/]: {escape(text)}", markup=True)
