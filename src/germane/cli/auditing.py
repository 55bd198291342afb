"""``audit``: who did what, and whether that was tampered with."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from germane.cli import common
from germane.cli.common import DEFAULT_CONFIG, Config, Data, Json, many
from germane.cli.desk import Desk, reading
from germane.cli.errors import FAILED
from germane.cli.tokens import seconds

PAGE = 1_000
MOST_S = 100 * 366 * 86_400


def audit(
    verify: Annotated[
        bool, typer.Option("--verify", help="Look whether anything was changed, removed or moved.")
    ] = False,
    head: Annotated[
        str,
        typer.Option(help="With --verify: a head that was noted before; it must be in the chain."),
    ] = "",
    since: Annotated[
        str, typer.Option(help="Not the earlier ones: a time, or a duration like 7d.")
    ] = "",
    who: Annotated[str, typer.Option("--person", help="Only about somebody, by their id.")] = "",
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Show the audit log, the newest first: who did what; or prove that it is whole."""
    with reading(config, data) as desk:
        if verify or head:
            found = desk.get("audit", "verification", head=head)
            _tell_proof(found, as_json=as_json)
            raise typer.Exit(0 if found["whole"] else FAILED)
        entries = _entries(desk, _time(since), who)
    if as_json:
        common.print_json(entries)
        return
    out = common.console()
    if not entries:
        out.print("Nothing is recorded.")
    for each in entries:
        out.print(_line(each), markup=False)


def _entries(desk: Desk, since: str, who: str) -> list[dict[str, Any]]:
    """All that are wanted, page by page."""
    entries, before = [], 0
    while True:
        page = desk.get("audit", since=since, person=who, before=before, limit=PAGE)
        entries += page["entries"]
        before = page["next"]
        if before is None:
            return entries


def _time(text: str) -> str:
    """As the API takes it: a time, or what was a duration ago."""
    if not text or not text[-1].isalpha() or text.endswith(("Z", "z")):
        return text
    ago = timedelta(seconds=seconds(text, "A look back", least=1, most=MOST_S))
    return (datetime.now(UTC) - ago).isoformat()


def _line(found: dict[str, Any]) -> str:
    """One entry in one line."""
    times = f"  {found['count']} times" if found["count"] > 1 else ""
    target = f"  {found['target']}" if found["target"] else ""
    who = found["actor"] or "nobody known"
    return f"{found['place']:>6}  {found['at']}  {found['status']}  {who}  {found['act']}{target}{times}"


def _tell_proof(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        common.print_json(found)
        return
    out = common.console()
    if found["broken"] is not None:
        out.print(
            f"[bold red]The audit log was tampered with[/]: entry {found['broken']} is not what it was, or is "
            "missing. Keep the data folder as it is, and compare it with a backup."
        )
        return
    if found["known"] is False:
        out.print(
            "[bold red]The audit log was tampered with[/]: the head that was noted is not in it. Keep the data "
            "folder as it is, and compare it with a backup."
        )
        return
    out.print(
        f"[bold green]Whole[/]: {many(found['entries'], 'entry', 'entries')}, each as it was."
    )
    out.print(f"Head: {found['head']}", markup=False)
    out.print("[dim]Note it somewhere else: --head proves later that nothing before it is gone.[/]")
