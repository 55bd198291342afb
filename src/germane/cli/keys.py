"""``keys``: make, list, rotate, revoke."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from germane.cli import common
from germane.cli.common import DEFAULT_CONFIG, Config, Data, Json
from germane.cli.desk import reading, writing
from germane.cli.tokens import seconds
from germane.domain.errors import WrongUse
from germane.domain.key import SCOPES
from germane.domain.near import did_you_mean

app = typer.Typer(no_args_is_help=True, help="Keys of the API, beside those of the configuration.")
KeyId = Annotated[str, typer.Argument(help="Id of the key, as `germane keys list` shows it.")]
_ONCE = "It is shown this once, and kept nowhere: only its hash is."


@app.command()
def make(
    scope: Annotated[
        str, typer.Option(help="write (send events), server, or admin (keys and operators, too).")
    ],
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    expires: Annotated[
        str,
        typer.Option(help="For how long it is valid, like 90d; without it, until it is revoked."),
    ] = "",
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make a key, and print it once."""
    if scope not in SCOPES:
        raise WrongUse(f"There is no scope {scope!r}.", hint=did_you_mean(scope, SCOPES))
    body: dict[str, Any] = {"scope": scope, "name": name}
    if expires:
        body["validSeconds"] = _seconds(expires, least=1)
    with writing(config, data, made=False) as desk:
        found = desk.post("keys", **body)
    _tell_key(found, as_json=as_json)


@app.command("list")
def list_all(config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False) -> None:
    """List keys: what they open, since when, until when, and when they were last used."""
    with reading(config, data) as desk:
        found = desk.get("keys")["keys"]
    if as_json:
        common.print_json(found)
        return
    if not found:
        common.console().print(
            "No keys were made: those of the configuration are the only ones. "
            "germane keys make --scope server"
        )
    for each in found:
        common.console().print(_line(each), markup=False)


@app.command()
def rotate(
    key_id: KeyId,
    overlap: Annotated[
        str, typer.Option(help="For how long the old one goes on, like 7d; 0s: it ends at once.")
    ] = "7d",
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Make another key in the place of one, which goes on for a while, and print the new one once."""
    overlap_s = _seconds(overlap, least=0)
    with writing(config, data) as desk:
        found = desk.post("keys", key_id, "rotate", overlapSeconds=overlap_s)
    _tell_key(found, as_json=as_json)


@app.command()
def revoke(
    key_id: KeyId, config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False
) -> None:
    """Take a key back: it opens nothing from now on."""
    with writing(config, data) as desk:
        found = desk.post("keys", key_id, "revoke")
    if as_json:
        common.print_json(found)
    else:
        common.console().print(_line(found), markup=False)


def _seconds(text: str, *, least: int) -> int:
    from germane.app.keys import MOST_S

    return seconds(text, "A key", least=least, most=MOST_S)


def _line(found: dict[str, Any]) -> str:
    """One key in one line."""
    said = [found["keyId"], found["scope"], found["state"], found["name"] or ""]
    said += [f"made {found['made'][:10]} by {found['madeBy']}"]
    said += [f"{word} {found[word][:10]}" for word in ("expires", "revoked") if found[word]]
    said += [f"last used {found['lastUsed']}" if found["lastUsed"] else "never used"]
    return "  ".join(each for each in said if each)


def _tell_key(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        common.print_json(found)
        return
    out = common.console()
    out.print(_line(found), markup=False)
    out.print(found["key"], markup=False)
    out.print(f"[dim]{_ONCE}[/]")
