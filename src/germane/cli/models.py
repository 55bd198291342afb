"""``snapshot``, ``train`` and ``models``: what is made from the log beside a server, and what ranks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from germane.cli import common
from germane.cli.common import DEFAULT_CONFIG, Config, Data, Json, many

if TYPE_CHECKING:
    from germane.domain.ports import Version

app = typer.Typer(no_args_is_help=True, help="What was trained, and which version of it ranks.")


def add_to(program: typer.Typer) -> None:
    """Put the commands where they belong."""
    program.command("snapshot")(snapshot)
    program.command("train")(train)
    program.add_typer(app, name="models")


def snapshot(config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False) -> None:
    """Bring the snapshot of the shared model up to date; a server does it by itself."""
    from germane.app import advance_snapshot

    loaded = common.load(config)
    folded = advance_snapshot(loaded.settings, common.data_dir(loaded, config, data))
    if as_json:
        common.print_json({"records": folded})
    else:
        common.console().print(
            f"Folded {many(folded, 'record')}; the next start begins behind them."
        )


def train(config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False) -> None:
    """Train from the log now; what is not worse than what ranks takes its place. A server does it by itself."""
    from germane.app import train as run

    loaded = common.load(config)
    out = common.console()
    folder = common.data_dir(loaded, config, data)
    report = run(
        loaded.settings,
        loaded.runtime.training,
        folder,
        lambda said: None if as_json else out.print(f"{said} ..."),
    )
    if as_json:
        common.print_json(report.as_dict())
        return
    for name, head in report.as_dict()["heads"].items():
        figures = ""
        if "champion_ndcg10" in head:
            figures = (
                f" (NDCG@10 on {many(head['held_out'], 'lesson')} held out: {head['challenger_ndcg10']:.4f}, "
                f"what ranks now: {head['champion_ndcg10']:.4f})"
            )
        out.print(f"  {name}: {head['why']}{figures}")
    if report.promoted:
        out.print(
            f"[bold green]{report.version}[/] ranks from now on, after {report.seconds:.0f} s."
        )
    else:
        out.print("Nothing was promoted; what ranked before still does.")


@app.command("list")
def list_models(config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False) -> None:
    """List every version, with what it was judged by."""
    found = _versions(config, data)
    if as_json:
        common.print_json([_row(each, found) for each in found])
        return
    out = common.console()
    if not found:
        out.print(
            "Nothing was trained yet: the online blend ranks alone. `germane train` does it now; "
            "a server does it by itself when there are enough lessons."
        )
        return
    for each in found:
        row = _row(each, found)
        out.print(f"[bold]{row['version']}[/]  {row['made']}  {row['state']}")
        for name, head in row["heads"].items():
            out.print(f"    {name}: {head['why']}, {many(head['lessons'], 'lesson')}")


@app.command("rollback")
def roll_back(config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False) -> None:
    """Go back to the version before the one that ranks; a running server follows."""
    from germane.app.trained import TREES
    from germane.domain.errors import NotFound
    from germane.storage.blobs import FolderBlobs

    serving = [each for each in _versions(config, data) if not each.retired]
    if not serving:
        raise NotFound(
            "Nothing that was trained ranks now.", hint="`germane models list` tells what there is."
        )
    loaded = common.load(config)
    blobs = FolderBlobs(common.data_dir(loaded, config, data) / "models")
    blobs.retire(TREES, serving[0].version)
    now = _name(serving[1]) if len(serving) > 1 else "the online blend alone"
    if as_json:
        common.print_json({"retired": _name(serving[0]), "now": now})
    else:
        common.console().print(
            f"Retired {_name(serving[0])}. From now on: [bold]{now}[/]; "
            "a running server follows within seconds."
        )


def _versions(config: Path, data: Path | None) -> list[Version]:
    from germane.app.trained import TREES
    from germane.storage.blobs import FolderBlobs

    loaded = common.load(config)
    return FolderBlobs(common.data_dir(loaded, config, data) / "models").versions(TREES)


def _name(version: Version) -> str:
    return str(version.manifest.get("version", version.version))


def _row(version: Version, all_of_them: list[Version]) -> dict[str, Any]:
    """One version, as people and programs want to read it."""
    ranks = next((each.version for each in all_of_them if not each.retired), None)
    state = "retired" if version.retired else "ranks" if version.version == ranks else "earlier"
    made = datetime.fromtimestamp(version.manifest.get("made_ms", 0) / 1000, UTC)
    return {
        "version": _name(version),
        "state": state,
        "made": made.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seconds": version.manifest.get("seconds"),
        "logOffset": version.manifest.get("seq"),
        "heads": version.manifest.get("heads", {}),
    }
