"""``rebuild``, ``seal``, ``retention``: the log as a whole, beside what a server does with it by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from germane.cli import common, serving
from germane.cli.common import DEFAULT_CONFIG, Config, Data, Json, many

if TYPE_CHECKING:
    from germane.domain.retirement import Piece


def add_to(app: typer.Typer) -> None:
    """Put the commands where they belong."""
    app.command("rebuild")(rebuild)
    app.command("seal")(seal)
    app.command("retention")(retention)


def rebuild(config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False) -> None:
    """Throw away all that is derived and fold the log again; tells whether it is the same."""
    serving.rebuild_all(config, data, as_json=as_json)


def seal(config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False) -> None:
    """Move the log of closed months into Parquet files now; a server does it by itself."""
    serving.seal_all(config, data, as_json=as_json)


def retention(
    apply: Annotated[
        bool,
        typer.Option("--apply", help="Let go what is too old now; a server does it by itself."),
    ] = False,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify", help="Look whether every file of history and archive is what was written."
        ),
    ] = False,
    give_up: Annotated[
        bool,
        typer.Option(
            "--give-up-damaged",
            help="Let go files of the archive that are damaged or missing, for good.",
        ),
    ] = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say how long what is kept, and what the archive has; or let go what is too old."""
    lost = _given_up(config, data) if give_up else []
    done: dict[str, Any] = {}
    if apply:
        done = _applied(config, data, quiet=as_json)
    found = _found(config, data, verify=verify)
    if as_json:
        also = {"applied": done} if apply else {}
        common.print_json(found | also | ({"givenUp": lost} if give_up else {}))
        raise typer.Exit(int(bool(found.get("damaged"))))
    for each in lost:
        common.console().print(f"Given up: {each['file']} ({many(each['records'], 'record')}).")
    if apply:
        _tell_done(done)
    _tell(found)
    raise typer.Exit(int(bool(found.get("damaged"))))


def _found(config: Path, data: Path | None, *, verify: bool) -> dict[str, Any]:
    """What is declared, what the archive has, and what is still to be done."""
    from germane.app.retaining import standing
    from germane.domain.errors import NotFound

    loaded = common.load(config)
    try:
        with common.opened(config, data, mode="read") as engine:
            found = standing(loaded.settings, engine.store.archive())
            found["due"] = engine.retention_due()
            if verify:
                found["damaged"] = [_told(each) for each in engine.store.damaged()]
            return found
    except NotFound:  # nothing is stored yet
        return standing(loaded.settings, {}) | {"due": 0} | ({"damaged": []} if verify else {})


def _told(piece: Piece) -> dict[str, Any]:
    where = piece.name if piece.archived else f"history/{piece.name}"
    return {"file": where, "records": piece.rows}


def _given_up(config: Path, data: Path | None) -> list[dict[str, Any]]:
    """Let go damaged files of the archive."""
    with common.opened(config, data, mode="write", made=True) as engine:
        damaged = [each for each in engine.store.damaged() if each.archived]
        for each in damaged:
            engine.store.give_up(each.name)
    return [_told(each) for each in damaged]


def _applied(config: Path, data: Path | None, *, quiet: bool) -> dict[str, Any]:
    """Let go what is too old, then learn what is shared anew, so that the next start is quick."""
    from rich.progress import Progress

    from germane.app import advance_snapshot

    shown = Progress(disable=quiet, console=common.console())
    with common.opened(config, data, mode="write", made=True) as engine, shown:
        task = shown.add_task("Looking at history", total=None)
        done = engine.retain(
            lambda seen, left: shown.update(task, completed=seen, total=seen + left)
        )
    if done.learned:
        loaded = common.load(config)
        advance_snapshot(loaded.settings, common.data_dir(loaded, config, data))
    return {
        "archived": done.archived,
        "deleted": done.deleted,
        "shortened": done.shortened,
        "expired": done.expired,
        "deadLetters": done.letters,
        "damaged": done.damaged,
    }


def _tell_done(done: dict[str, Any]) -> None:
    out = common.console()
    for each in done["damaged"]:
        out.print(
            f"[bold red]Left as it is[/]: {each} is missing or was changed. Restore it from a backup; "
            "`germane retention --verify` names all such files."
        )
    if not any(done.values()):
        out.print("Nothing was too old.")
        return
    out.print(
        f"[bold green]Done.[/] Into the archive: {many(done['archived'], 'record')}. Deleted: "
        f"{many(done['deleted'], 'record')}, {many(done['deadLetters'], 'dead letter')}, and "
        f"{many(done['expired'], 'record')} of the archive. Shortened: {many(done['shortened'], 'record')}."
    )


def _tell(found: dict[str, Any]) -> None:
    out = common.console()
    out.print("Data are in profiles, models and the log for so many calendar months:")
    kept: dict[tuple[int, bool], list[str]] = {}
    for category, months in found["months"].items():
        kept.setdefault((months, category in found["deleted"]), []).append(category)
    for (months, deleted), names in sorted(kept.items()):
        gone = deleted or not found["archiveMonths"]
        after = "deleted" if gone else f"in the archive for {found['archiveMonths']}"
        out.print(f"  {months:>2}, then {after}: {', '.join(names)}")
    for each in found.get("damaged", ()):
        out.print(
            f"[bold red]Damaged or missing[/]: {each['file']} ({many(each['records'], 'record')})."
        )
    if found.get("damaged") == []:
        out.print("Every file of history and archive is what was written.")
    if found["due"]:
        out.print(
            f"{many(found['due'], 'file')} of history may hold something that is too old: a server looks at "
            "them every ten minutes, `germane retention --apply` now."
        )
    archive: dict[str, int] = found["archive"]
    if not archive:
        out.print("There is nothing in the archive.")
        return
    months = sorted({min(archive), max(archive)})
    out.print(f"The archive has {many(sum(archive.values()), 'record')} of {' to '.join(months)}.")
