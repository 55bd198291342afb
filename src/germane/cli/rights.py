"""``erase`` and ``export --person``: what a person may ask for."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from germane.cli import common
from germane.cli.asking import there
from germane.cli.common import DEFAULT_CONFIG, Config, Data, Json, Yes, many
from germane.cli.desk import may_write
from germane.domain.errors import GermaneError, StorageBusy, WrongUse

PATIENCE_S = 900
"""A server that reads a long log takes its time."""
NOUNS = {
    "profiles": ("profile", "profiles"),
    "identities": ("link to another id", "links to other ids"),
    "events": ("event", "events"),
    "decisions": ("decision", "decisions"),
    "impressions": ("impression", "impressions"),
    "outcomes": ("outcome", "outcomes"),
    "moves": ("step of messages and consent", "steps of messages and consent"),
    "messages": ("message", "messages"),
    "drafts": ("message in the making", "messages in the making"),
    "enrolments": ("campaign that they are in", "campaigns that they are in"),
    "approvals": ("approval", "approvals"),
    "deadLetters": ("dead letter", "dead letters"),
    "damagedFiles": ("damaged file that was given up", "damaged files that were given up"),
    "models": ("version of what was learned", "versions of what was learned"),
}


def add_to(app: typer.Typer) -> None:
    """Put the command where it belongs."""
    app.command("erase")(erase)


def erase(
    person: Annotated[
        str | None, typer.Argument(help="User id or anonymous id (anonymous ids as a:ID).")
    ] = None,
    verify: Annotated[
        Path | None, typer.Option(help="Check the signature of a receipt; erases nothing.")
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(help="A list of erasures (erasures.jsonl): erase again whom it names."),
    ] = None,
    yes: Yes = False,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Erase a person everywhere: log, profile, history, models, messages. Prints a signed receipt."""
    if sum(each is not None for each in (person, verify, replay)) != 1:
        raise WrongUse(
            "Name a person, or a receipt to verify, or a list to replay.",
            hint="germane erase PERSON; germane erase --verify receipt.json; germane erase --replay "
            "erasures.jsonl",
        )
    if verify is not None:
        raise typer.Exit(_verified(verify, config, data, as_json=as_json))
    if replay is not None:
        _replayed(replay, config, data, as_json=as_json)
    elif person is not None:
        raise typer.Exit(_erased(person, config, data, yes=yes, as_json=as_json))


def _erased(person: str, config: Path, data: Path | None, *, yes: bool, as_json: bool) -> int:
    """Look, ask, erase; 1 when it is not wanted."""
    if not yes and not _agreed(person, config, data):
        common.console().print("Nothing was erased.")
        return 1
    receipt = _done(person, config, data)
    if as_json:
        common.print_json(receipt)
        return 0
    out = common.console()
    out.print(f"[bold green]Erased.[/] Removed: {_listed(receipt['removed'])}.")
    out.print(f"What is shared is learned anew {receipt['sharedModel']['rebuilt']}.")
    out.print("The receipt (--json prints it alone):")
    out.print(json.dumps(receipt, indent=2), markup=False)
    return 0


def _done(person: str, config: Path, data: Path | None) -> dict[str, Any]:
    """Erase, here or by the server that has the folder open; the receipt."""
    from germane.app.erasing import erase_here

    try:
        with common.opened(config, data, mode="write", made=True) as engine:
            (receipt,) = erase_here(engine, person)
            return receipt
    except StorageBusy:
        path = f"/v1/people/{quote(person, safe='')}"
        return there(config, data, path, method="DELETE", patience_s=PATIENCE_S)


def _agreed(person: str, config: Path, data: Path | None) -> bool:
    """Whether it is meant, with what goes.

    Raises:
        UnknownPerson: nothing is stored of them.
        WrongUse: there is nobody to ask.
    """
    from rich.text import Text

    from germane.app.erasing import find, resolved

    with common.opened(config, data, mode="read") as engine:
        store, tenant = engine.store, engine.tenant
        key = resolved(store, tenant, person, engine.person_key(person))
        found = find(store, tenant, key)
    names, there_are = ", ".join(sorted(found.trail.externals)), _listed(found.counts)
    common.console().print(
        Text.assemble("Of ", (key, "bold"), f" ({names}) there are: {there_are}.")
    )
    return _asked()


def _asked() -> bool:
    """Whether somebody says yes.

    Raises:
        WrongUse: there is nobody to ask.
    """
    if not sys.stdin.isatty():
        raise WrongUse(
            "All of it would be erased, and there is nobody to ask.",
            hint="Add --yes.",
        )
    return typer.confirm("Erase all of it? It cannot be brought back.")


def _listed(counts: dict[str, int]) -> str:
    named = ((NOUNS.get(kind, (kind, kind)), count) for kind, count in counts.items() if count)
    return ", ".join(many(count, *nouns) for nouns, count in named) or "nothing"


def _verified(path: Path, config: Path, data: Path | None, *, as_json: bool) -> int:
    """Whether a receipt is ours, and unchanged: 0, else 1."""
    from germane.privacy.erasure import genuine

    receipt = _read(path)
    with common.opened(config, data, mode="read") as engine:
        good = genuine(engine.key, receipt)
    if as_json:
        common.print_json({"receipt": receipt.get("receipt"), "genuine": good})
    elif good:
        common.console().print("[bold green]Genuine.[/] It was signed by this data folder.")
    else:
        common.console().print(
            "[bold red]Not genuine.[/] It was changed, or signed by another data folder."
        )
    return 0 if good else 1


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise GermaneError(f"There is no file {path}.", hint="Name the file with the receipt.")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GermaneError(
            f"{path} cannot be read as a receipt: {error}.", hint="Name the file with its JSON."
        ) from None
    if not isinstance(found, dict):
        raise GermaneError(f"{path} is no receipt.", hint="Name the file with its JSON.")
    return found


def _replayed(path: Path, config: Path, data: Path | None, *, as_json: bool) -> None:
    """Take the lines of a list over; opening the folder obeys them."""
    from germane.app.erasing import add_lines
    from germane.storage.sqlite import SqliteStore

    folder = common.data_dir(common.load(config), config, data)
    SqliteStore.open(folder).close()  # nobody serves it
    new = add_lines(folder, path)
    with common.opened(config, data, mode="write", made=True) as engine:
        before = engine.store.counts()["records"]
    if as_json:
        common.print_json({"lines": new, "records": before})
        return
    common.console().print(
        f"[bold green]Done.[/] {many(new, 'erasure')} of the list {'was' if new == 1 else 'were'} "
        "new here; nobody whom it names is left."
    )


def export_person(
    person: str, html: Path | None, config: Path, data: Path | None, *, yes: bool, as_json: bool
) -> None:
    """Everything that is stored of a person: a page, JSON, or how much of what."""
    from rich.markup import escape

    from germane.app.access import everything
    from germane.privacy.page import page

    with common.opened(config, data, mode="read") as engine:
        found = everything(engine, person)
    if html is not None:
        if not may_write(html, yes=yes):
            raise typer.Exit(1)
        _written(html, page(found))
    if as_json:
        common.print_json(found)
        return
    out = common.console()
    if html is not None:
        common.told_wrote(f"everything about {found['personId']}", html)
        return
    counts = {kind: len(rows) for kind, rows in found.items() if isinstance(rows, list)}
    out.print(f"Of [bold]{escape(found['personId'])}[/] there are: {_listed(counts)}.")
    out.print("--html FILE writes a page, --json prints all of it.")


def _written(path: Path, text: str) -> None:
    """Only its owner may read it."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
            if path.is_file():
                os.fchmod(file.fileno(), 0o600)
            file.write(text.encode())
    except OSError as error:
        raise GermaneError(
            f"{path} cannot be written: {error.strerror or error}.",
            hint="Name a file in a folder that is there, may be written, and has room.",
        ) from None
