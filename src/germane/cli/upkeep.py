"""``rebuild``, ``seal``, ``retention``: the log as a whole, beside what a server does with it by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from germane.cli import common, serving
from germane.cli.common import DEFAULT_CONFIG, Config, Data, Json, many
from germane.domain.errors import WrongUse

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
            help="Let go files of the archive that are damaged or missing, for good; of history, say what "
            "that would lose.",
        ),
    ] = False,
    history: Annotated[
        bool,
        typer.Option(
            "--history",
            help="With --give-up-damaged: go on without damaged files of history, too. What only they had is "
            "lost, and all that is derived is folded anew.",
        ),
    ] = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Say how long what is kept, and what the archive has; or let go what is too old."""
    if history and not give_up:
        raise WrongUse(
            "--history says what --give-up-damaged may do.",
            hint="`germane retention --give-up-damaged` tells what it would lose.",
        )
    lost, risked = _given_up(config, data, history=history) if give_up else ([], [])
    done: dict[str, Any] = {}
    if apply:
        done = _applied(config, data, quiet=as_json)
    found = _found(config, data, verify=verify)
    wrong = int(bool(found.get("damaged") or risked))
    if as_json:
        also = {"applied": done} if apply else {}
        gone = {"givenUp": lost, "wouldLose": risked} if give_up else {}
        common.print_json(found | also | gone)
        raise typer.Exit(wrong)
    _tell_lost(lost, risked)
    if apply:
        _tell_done(done)
    _tell(found)
    raise typer.Exit(wrong)


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


def _given_up(
    config: Path, data: Path | None, *, history: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Let go damaged files of the archive, and of history if that is said: what went, and what would have gone.
    No engine is opened before: it may need what cannot be read."""
    from germane.app import SystemWorld
    from germane.app.giving_up import give_up
    from germane.storage.sqlite import SqliteStore

    loaded = common.load(config)
    folder = common.data_dir(loaded, config, data)
    SqliteStore.open(folder, mode="read").close()  # there is something, or this says so
    store = SqliteStore.open(folder)
    try:
        damaged = store.damaged()
        for each in damaged:
            if each.archived:
                store.give_up(each.name)
    finally:
        store.close()
    gone = [each for each in damaged if each.archived]
    kept = [each for each in damaged if not each.archived]
    if history:
        kept, gone = [], gone + give_up(loaded.settings, folder, SystemWorld())
    return [_lost(each) for each in gone], [_lost(each) for each in kept]


def _lost(piece: Piece) -> dict[str, Any]:
    return _told(piece) | {"month": piece.month}


def _tell_lost(lost: list[dict[str, Any]], risked: list[dict[str, Any]]) -> None:
    out = common.console()
    for each in lost:
        out.print(f"Given up: {each['file']} ({many(each['records'], 'record')}).")
    if any(each["file"].startswith("history/") for each in lost):
        out.print(
            "All that is derived was folded anew without it. What there was of these files is in damaged/ of "
            "the data folder, where nothing reads it. It may tell of people: the next erasure deletes it; "
            "delete it yourself when you need it no more. If sending is stopped now, look "
            "(`germane messages list`), then `germane go-on-sending`."
        )
    for each in risked:
        out.print(
            f"[bold red]Would be lost[/]: {each['file']}, {many(each['records'], 'record')} of "
            f"{each['month']}."
        )
    if risked:
        out.print(
            "Nothing of history was given up. Any backup that has these files mends all of it: copy them from "
            "there. If there is none, add --history. What people did and were shown by these records is gone "
            "for good then, from profiles, lists and reports, and so are their messages. What was said to a "
            "purpose, who is who, the catalogue, content, campaigns, operators and keys are recorded again, "
            "and sending is stopped until you have looked. The files move to damaged/ of the data folder."
        )


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
