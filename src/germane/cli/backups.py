"""``backup`` and ``restore``."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from germane.cli import common
from germane.cli.common import DEFAULT_CONFIG, Config, Data, Json, many
from germane.cli.progress import progress
from germane.domain.errors import GermaneError, WrongUse
from germane.storage.files import MB

if TYPE_CHECKING:
    from germane.app.restoring import Restored, Wanted
    from germane.storage.backup import Manifest

Place = Annotated[Path, typer.Argument(help="Folder in which backups are kept.")]


def add_to(app: typer.Typer) -> None:
    """Put the commands where they belong."""
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    place: Place,
    keep: Annotated[
        int | None, typer.Option(help="Afterwards remove all but so many, the newest.", min=1)
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Tell which backups there are; make none.")
    ] = False,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Read every backup there and compare it; make none."),
    ] = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a backup of the data folder, also while a server has it: whole, or not there at all."""
    if listed or verify:
        if keep is not None or (listed and verify):
            raise WrongUse("One of --list, --verify and --keep.", hint="Run it once for each.")
        raise typer.Exit(_listed(place, verify=verify, as_json=as_json))
    from germane import __version__
    from germane.storage.backup import make, prune

    folder = common.data_dir(common.load(config), config, data)
    os.nice(10)  # the server goes first
    started = time.perf_counter()
    with _Bar("Backing up, MB", quiet=as_json) as bar:
        made = make(folder, place, version=__version__, now_ms=_now_ms, advance=bar.reached)
    gone = prune(place, keep, made.manifest.folder) if keep is not None else []
    found = _told(made.path, made.manifest) | {
        "linked": made.linked,
        "seconds": round(time.perf_counter() - started, 3),
        "removed": gone,
    }
    if as_json:
        common.print_json(found)
        return
    earlier = f" ({many(made.linked, 'file')} shared with an earlier one)" if made.linked else ""
    common.console().print(
        f"[bold green]Made[/] {made.path}: {_size(made.manifest)}{earlier}, up to record "
        f"{made.manifest.offset:,}."
    )
    if gone:
        common.console().print(f"Removed {many(len(gone), 'older backup')}.")


def _listed(place: Path, *, verify: bool, as_json: bool) -> int:
    """What there is; 1 where a backup is not whole, or not what was written, or where none is there to be
    verified."""
    from germane.storage.backup import damaged, found_in, read

    rows = list[dict[str, Any]]()
    for path in found_in(place):
        try:
            manifest = read(path)
            row = _told(path, manifest) | {"whole": True}
            if verify:
                with _Bar(f"Reading {path.name}, MB", manifest.bytes, quiet=as_json) as bar:
                    row["damaged"] = damaged(path, manifest, bar.more)
                row["whole"] = not row["damaged"]
        except GermaneError as error:
            row = {"backup": str(path), "whole": False, "why": error.message}
        except OSError as error:
            why = f"{error.filename or path}: {error.strerror}"
            row = {"backup": str(path), "whole": False, "why": why}
        rows.append(row)
    if as_json:
        common.print_json({"backups": rows})
    else:
        _print(rows, place, verify=verify)
    return int(not all(each["whole"] for each in rows) or (verify and not rows))


def _print(rows: list[dict[str, Any]], place: Path, *, verify: bool) -> None:
    from rich.markup import escape

    out = common.console()
    if not rows:
        out.print(f"There is no backup in {place}.")
    for each in rows:
        if "why" in each:
            out.print(f"[bold red]✗[/] {escape(each['why'])}")
            continue
        mark = "[green]✓[/]" if each["whole"] and verify else "[bold red]✗[/]" if verify else "·"
        out.print(
            f"{mark} {escape(each['backup'])}  {each['made']}  up to record {each['offset']:,}, "
            f"{each['bytes'] / MB:,.1f} MB, Germane {each['germane']}{_of(each)}"
        )
        for name in each.get("damaged", ()):
            out.print(f"    [bold red]missing or changed[/]: {escape(name)}")


def _of(row: dict[str, Any]) -> str:
    from rich.markup import escape

    return escape(f", of {row['of']} ({row['folder']})") if row["folder"] else ""


def restore(
    place: Annotated[
        Path,
        typer.Argument(help="Folder in which backups are kept (the newest is taken), or a backup."),
    ],
    until: Annotated[
        str,
        typer.Option(
            help="Only what was received until then, such as 2026-11-29T12:00 (UTC, unless it says "
            "otherwise). The log is folded anew."
        ),
    ] = "",
    erasures: Annotated[
        list[Path] | None,
        typer.Option(help="A newer list of erasures (erasures.jsonl); may be given again."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="What is in the data folder may go.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Put a backup back into the data folder: compared first, and without whoever was erased since."""
    from germane.app.restoring import Wanted
    from germane.app.restoring import restore as put_back

    loaded = common.load(config)
    folder = common.data_dir(loaded, config, data)
    until_ms = _until(until) if until else None
    for each in erasures or ():
        if not each.is_file():
            raise WrongUse(f"There is no file {each}.", hint="Name a list: an erasures.jsonl.")
    backup, manifest, lists = _chosen(place, until_ms, folder)
    wanted = Wanted(backup, manifest, folder, until_ms, (*(erasures or ()), *lists), force=force)
    started = time.perf_counter()
    out = common.console()
    with _Bar(f"Copying {backup.name}, MB", manifest.bytes, quiet=as_json) as bar:
        done = put_back(loaded.settings, wanted, _world(), bar.more)
    found = _told(backup, manifest) | {
        "data": str(folder),
        "until": _moment(until_ms) if until_ms is not None else None,
        "offset": done.offset,
        "stateHash": done.state_hash,
        "dropped": done.dropped,
        "erasures": done.erasures,
        "refused": done.refused,
        "sendingStopped": done.held,
        "seconds": round(time.perf_counter() - started, 3),
    }
    if as_json:
        common.print_json(found)
        return
    _say(wanted, done, out)


def _say(wanted: Wanted, done: Restored, out: Any) -> None:
    out.print(
        f"[bold green]Restored[/] {wanted.folder} from {wanted.backup}, up to record {done.offset:,}."
    )
    if wanted.until_ms is not None:
        out.print(
            f"{many(done.dropped, 'record')} that came after {_moment(wanted.until_ms)} "
            f"{'is' if done.dropped == 1 else 'are'} left out; the rest was folded anew."
        )
    if done.refused:
        out.print(
            f"{many(done.refused, 'refusal')} of after that {'holds' if done.refused == 1 else 'hold'}: "
            "a no always stands."
        )
    if done.erasures:
        out.print(
            f"Erased again: whom {many(done.erasures, 'line')} of a newer list of erasures "
            f"{'names' if done.erasures == 1 else 'name'}."
        )
    if done.held:
        out.print(
            "[bold yellow]Sending is stopped[/]: what has gone out since may be waiting again. Look "
            "(`germane messages list`), then `germane go-on-sending`."
        )


def _chosen(place: Path, until_ms: int | None, folder: Path) -> tuple[Path, Manifest, list[Path]]:
    """The backup to take, and the lists of erasures that others beside it have.

    Raises:
        NoBackup: there is none.
        BackupDamaged: the one that would be taken cannot be read.
        ForeignBackup: it is of another data folder than the one that is there, or nobody knows which is meant.
        WrongUse: none goes as far as that.
    """
    from germane.storage.backup import NoBackup, found_in, identity_of, read

    if (place / "manifest.json").exists():
        backup, manifest = place, read(place)
        beside = found_in(place.parent)
        _refuse_foreign(backup, manifest, folder, identity_of(folder))
    else:
        beside = found_in(place)
        if not beside:
            raise NoBackup(f"There is no backup in {place}.")
        own = _own(place, beside, folder)
        backup = own[-1]
        manifest = read(backup)
        for each in reversed(own[:-1]) if until_ms is not None else ():
            earlier = read(each)
            if not (until_ms or 0) <= earlier.made_ms <= manifest.made_ms:
                break  # too early, or made by a clock that was ahead
            backup, manifest = each, earlier
    if until_ms is not None and until_ms > manifest.made_ms:
        raise WrongUse(
            f"{backup} was made at {_moment(manifest.made_ms)}: it knows of nothing later.",
            hint="Leave --until out to have all of it.",
        )
    return backup, manifest, [each / "erasures.jsonl" for each in beside if each != backup]


def _own(place: Path, beside: list[Path], folder: Path) -> list[Path]:
    """The backups that are of a data folder, or may be.

    Raises:
        ForeignBackup: all are of another one; or there is none yet, and they are of several.
    """
    from germane.storage.backup import ForeignBackup, foreign, identity_of, manifests, told

    identity, known = identity_of(folder), dict(manifests(place))
    of = {each.folder: told(path, each) for path, each in known.items() if each.folder}
    if not identity and len(of) > 1:
        raise ForeignBackup(
            f"{place} has backups of several data folders: {'; '.join(of.values())}. Nothing was changed.",
            hint="Name the backup itself, not the folder that it is in.",
        )
    own = [x for x in beside if x not in known or not foreign(known[x], identity)]
    if not own:
        _refuse_foreign(beside[-1], known[beside[-1]], folder, identity)
    return own


def _refuse_foreign(backup: Path, manifest: Manifest, folder: Path, identity: str) -> None:
    """
    Raises:
        ForeignBackup: it is of another data folder.
    """
    from germane.storage.backup import ForeignBackup, foreign, told

    if foreign(manifest, identity):
        raise ForeignBackup(
            f"{told(backup, manifest)}; {folder} is {identity}. Nothing was changed.",
            hint="Name a backup of this project. If that one is meant, name an empty folder with --data, or "
            f"move what is in {folder} away first.",
        )


class _Bar:
    """Megabytes, as they come; the total may be known late."""

    def __init__(self, what: str, total: int = 0, *, quiet: bool) -> None:
        self._what, self._total, self._quiet = what, total, quiet
        self._stack = ExitStack()
        self._advance: Any = None
        self._done = self._shown = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def more(self, count: int) -> None:
        """So many bytes more."""
        self.reached(self._done + count, self._total)

    def reached(self, done: int, total: int) -> None:
        """So many bytes of so many."""
        if self._advance is None:
            whole = progress(-(-total // MB) or None, self._what, quiet=self._quiet)
            self._advance = self._stack.enter_context(whole)
        self._done = done
        shown = -(-done // MB)
        if shown > self._shown:
            self._advance(shown - self._shown)
            self._shown = shown


def _until(text: str) -> int:
    """
    Raises:
        WrongUse: it is no time.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise WrongUse(
            f"--until {text!r} is not a time.",
            hint="Write 2026-11-29T12:00, or 2026-11-29T12:00+01:00.",
        ) from None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    return int(at.timestamp() * 1000)


def _told(path: Path, manifest: Manifest) -> dict[str, Any]:
    return {
        "backup": str(path),
        "made": _moment(manifest.made_ms),
        "offset": manifest.offset,
        "files": len(manifest.files),
        "bytes": manifest.bytes,
        "germane": manifest.germane,
        "schema": manifest.schema,
        "folder": manifest.folder or None,
        "of": manifest.of or None,
    }


def _size(manifest: Manifest) -> str:
    return f"{manifest.bytes / MB:,.1f} MB in {many(len(manifest.files), 'file')}"


def _moment(at_ms: int) -> str:
    from germane.profile.words import moment

    return str(moment(at_ms))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _world() -> Any:
    from germane.app import SystemWorld

    return SystemWorld()
