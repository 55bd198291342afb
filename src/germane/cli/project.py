"""``init`` and ``check``."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from germane.cli import common
from germane.cli.common import many
from germane.cli.errors import tell
from germane.domain.errors import GermaneError, WrongUse

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from rich.console import Console

    from germane.app.engine import Engine
    from germane.config import Finding, Loaded
    from germane.domain.campaign import Campaign
    from germane.domain.item import Item

RECIPES = ("shop",)
CONTENT = "content"
"""Folder of content files, beside the configuration."""
CAMPAIGNS = "campaigns"
"""Folder of campaign files, beside the configuration."""


class WouldOverwrite(GermaneError):
    """There are files already."""

    code = "init.would_overwrite"
    hint = "Choose another folder, or add --force."


def init(folder: Path, recipe: str, *, force: bool) -> None:
    """Write a project folder; the keys are made here and are nobody else's."""
    if recipe not in RECIPES:
        raise WrongUse(f"There is no recipe {recipe!r}.", hint=f"Known: {', '.join(RECIPES)}.")
    source = files("germane.recipes").joinpath(recipe)
    names = _names(source)
    there = [name for name in (*names, ".env") if (folder / name).exists()]
    if there and not force:
        raise WouldOverwrite(f"{folder} has {', '.join(there)} already.")
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(source.joinpath(name).read_text("utf-8"), encoding="utf-8")
    write_keys(folder / ".env")
    out = common.console()
    out.print(f"[bold green]Made[/] {folder} from the recipe [bold]{recipe}[/].")
    out.print("Keys are in .env: the write key is public, the server key is a secret.\n")
    out.print("Next:")
    if folder.resolve() != Path.cwd():
        out.print(f"  cd {folder}")
    out.print("  germane import catalogue catalogue.csv")
    out.print("  germane serve")


def _names(source: Traversable) -> list[str]:
    """Files of a recipe, those of its folders with the folder before them."""
    found = []
    for each in sorted(source.iterdir(), key=lambda x: x.name):
        if each.is_dir():
            found += [f"{each.name}/{name}" for name in _names(each)]
        elif not each.name.startswith("_"):
            found.append(each.name)
    return found


def write_keys(path: Path) -> None:
    """New keys, readable by nobody else."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(
        "# Keys of this project. The write key may send events, and may be in web pages; with\n"
        '# browser_decisions = "anonymous" under [server] it also asks for decisions of visitors.\n'
        "# The server key may do everything: keep it secret.\n"
        f"GERMANE_WRITE_KEY=gw_{secrets.token_urlsafe(24)}\n"
        f"GERMANE_SERVER_KEY=gs_{secrets.token_urlsafe(32)}\n"
    )


def check(config: Path, data: Path | None, *, as_json: bool, deep: bool = False) -> int:
    """The audit; 1 when the configuration or a surface has an error, or ``deep`` finds damage."""
    try:
        return _check(config, data, as_json=as_json, deep=deep)
    except GermaneError as error:
        if as_json:
            common.print_json(error_body(error))
        else:
            tell(error)
        return 1


def error_body(error: GermaneError) -> dict[str, Any]:
    """An error as JSON, in the shape of the API's; there is no request, so its id is empty."""
    return {
        "success": False,
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "details": error.details,
        "requestId": "",
    }


def _deep(folder: Path) -> list[Finding]:
    """Every byte of the data folder that a checksum covers."""
    from germane.app.deep import flaws
    from germane.config import Finding

    found = [Finding("", "data", "error", each.text, each.hint) for each in flaws(folder)]
    return found or [Finding("", "data", "good", f"All of {folder} is as it was written.")]


def data_findings(engine: Engine, folder: Path) -> list[Finding]:
    """Files of history that are missing or cut off, what was given up, and what was read otherwise."""
    from germane.app import folded
    from germane.app.deep import given_up, missing
    from germane.config import Finding

    wrong = [Finding("", "data", "error", *each) for each in missing(engine.store)]
    wrong += [Finding("", "data", "warning", *each) for each in given_up(engine.store, folder)]
    if folded.read_otherwise(engine.store, engine.settings):
        text = (
            "Signals, or attributes that keep interests, have changed: events that came before count as they "
            "did then."
        )
        remedy = (
            "Stop the server and run germane rebuild: it reads them with the new configuration."
        )
        wrong.append(Finding("", "data", "warning", text, remedy))
    return wrong


def _check(config: Path, data: Path | None, *, as_json: bool, deep: bool) -> int:
    from germane.config import audit, audit_channels, audit_delivery, audit_server
    from germane.config.audit_content import audit_content, audit_writer
    from germane.config.audit_folder import audit_folder
    from germane.config.audit_purposes import audit_purposes
    from germane.config.audit_undeclared import audit_undeclared
    from germane.config.campaigns import read_folder

    loaded = common.load(config)
    contents, campaigns = config.parent / CONTENT, config.parent / CAMPAIGNS
    folder = common.data_dir(loaded, config, data)
    if data is not None and data.exists() and not data.is_dir():
        raise GermaneError(f"{data} is a file, not a folder.", hint="Name a folder with --data.")
    items: list[Item] = []
    at_ms, undeclared = None, []
    written = [each.campaign for each in read_folder(campaigns, loaded.settings)[0].values()]
    answers: dict[str, int] = {}
    unmet: list[Finding] = []
    stored: list[Finding] = []
    looked = _deep(folder) if deep else []
    if any(each.level == "error" for each in looked):  # nothing can be said of what is in it
        return _told(config, loaded, campaigns, items, looked, as_json=as_json)
    if (folder / "germane.db").exists():
        with common.opened(config, data, mode="read") as engine:
            items, at_ms = list(engine.catalogue.values()), engine.world.now_ms()
            undeclared, answers = engine.undeclared_names(), engine.answers()
            written += engine.library.campaigns.values()
            unmet, stored = _approvals(engine, written), data_findings(engine, folder)
    findings = [
        *looked,
        *stored,
        *audit(loaded.settings, items, at_ms, most=len(items)),
        *audit_delivery(loaded.settings.delivery),
        *audit_folder(
            loaded.settings,
            campaigns,
            contents,
            loaded.channels.webhooks,
            loaded.channels.reminding,
            now_ms=at_ms or int(time.time() * 1000),
        ),
        *unmet,
        *audit_purposes(loaded.settings.privacy, loaded.channels.links.purposes, written, answers),
        *audit_undeclared(undeclared),
        *audit_server(loaded.runtime),
        *audit_channels(loaded.channels),
        *audit_content(loaded, contents, items),
        *audit_writer(loaded),
    ]
    return _told(config, loaded, campaigns, items, findings, as_json=as_json)


def _approvals(engine: Engine, campaigns: Sequence[Campaign]) -> list[Finding]:
    """Campaigns that demand an approval that nobody could give."""
    from germane.app.approvable import unmeetable
    from germane.config import Finding

    found = [
        Finding("", "approval", "warning", f"campaigns/{each.name}: {text}", remedy)
        for each in campaigns
        if each.status != "ended"
        for text, remedy in unmeetable(engine, each)
    ]
    return list(dict.fromkeys(found))


def _told(
    config: Path,
    loaded: Loaded,
    campaigns: Path,
    items: Sequence[Item],
    findings: Sequence[Finding],
    *,
    as_json: bool,
) -> int:
    """Print what was found; 1 when an error is among it."""
    import msgspec

    count = {level: sum(x.level == level for x in findings) for level in ("error", "warning")}
    errors = count["error"]
    if as_json:
        common.print_json(
            {
                "errors": errors,
                "warnings": count["warning"],
                "findings": [msgspec.to_builtins(x) for x in findings],
            }
        )
        return int(errors > 0)
    out = common.console()
    written = len(list(campaigns.glob("*.toml")))
    out.print(
        f"[bold]{config}[/] is valid: {many(len(loaded.settings.signals), 'signal')}, "
        f"{many(len(loaded.settings.surfaces), 'surface')}, {many(written, 'campaign')}, "
        f"{many(len(items), 'item')}.\n"
    )
    print_findings(findings, out)
    return int(errors > 0)


def print_findings(findings: Sequence[Finding], out: Console) -> None:
    """A surface a block, a check a line."""
    from rich.markup import escape

    marks = {"good": "[green]✓[/]", "warning": "[yellow]![/]", "error": "[bold red]✗[/]"}
    surface = None
    for each in findings:
        if each.surface != surface:
            surface = each.surface
            out.print(f"[bold]{surface or 'project'}[/]")
        out.print(f"  {marks[each.level]} {escape(each.text)}")
        if each.remedy:
            out.print(f"    [dim]{escape(each.remedy)}[/]")
