"""``operator``: add, list, token, disable, enable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from germane.cli import common
from germane.cli.common import DEFAULT_CONFIG, Config, Data, Json
from germane.cli.desk import writing

app = typer.Typer(no_args_is_help=True, help="The people who run Germane, and what they may do.")
Name = Annotated[str, typer.Argument(help="Name of the operator.")]
_ONCE = "It is shown this once, and kept nowhere. A new one: germane operator token NAME."


@app.command()
def add(
    name: Name,
    role: Annotated[
        list[str],
        typer.Option(help="admin, editor, approver, analyst or privacy officer; may be repeated."),
    ],
    limit: Annotated[
        float | None,
        typer.Option(help="They may approve up to this amount; without it, what their role may."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Appoint somebody, or give them other roles, and print their new token once."""

    body = {"roles": role} | ({} if limit is None else {"limit": limit})
    with writing(config, data, made=False) as desk:
        found = desk.put("operators", name, body=body)
    _tell_token(found, as_json=as_json)


@app.command("list")
def list_all(config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False) -> None:
    """List operators."""
    from germane.api.approval_view import operator_view
    from germane.app.operators import Operators

    with common.opened(config, data, mode="read") as engine:
        found = [operator_view(each) for each in Operators(engine).all()]
    if as_json:
        common.print_json(found)
        return
    out = common.console()
    if not found:
        out.print("There are no operators yet: germane operator add NAME --role approver")
    for each in found:
        limit = "" if each["limit"] is None else f"  up to {each['limit']:g}"
        gone = "  [red]disabled[/]" if each["disabled"] else ""
        out.print(f"[bold]{each['name']}[/]  {', '.join(each['roles'])}{limit}{gone}")


@app.command()
def token(
    name: Name, config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False
) -> None:
    """Print a new token for somebody; the old one is worth nothing from now on."""

    with writing(config, data, made=False) as desk:
        found = desk.post("operators", name, "token")
    _tell_token(found, as_json=as_json)


@app.command()
def disable(
    name: Name, config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False
) -> None:
    """They can do nothing any more, and what they approved and has not gone out counts no longer."""
    _turned(name, config, data, disabled=True, as_json=as_json)


@app.command()
def enable(
    name: Name, config: Config = DEFAULT_CONFIG, data: Data = None, as_json: Json = False
) -> None:
    """They can act again."""
    _turned(name, config, data, disabled=False, as_json=as_json)


def _turned(name: str, config: Path, data: Path | None, *, disabled: bool, as_json: bool) -> None:
    word = "disable" if disabled else "enable"
    with writing(config, data, made=False) as desk:
        found = desk.post("operators", name, word)
    if as_json:
        common.print_json(found)
    else:
        common.console().print(f"{name} is {word}d.")


def _tell_token(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        common.print_json(found)
        return
    out = common.console()
    out.print(f"[bold]{found['name']}[/]  {', '.join(found['roles'])}")
    out.print(found["token"], markup=False)
    out.print(f"[dim]{_ONCE}[/]")
