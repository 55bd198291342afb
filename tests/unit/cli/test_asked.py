"""The command that is asked for is all that is prepared, and nobody can tell."""

from __future__ import annotations

import pytest
import typer

from germane.cli.asked import only


def program() -> typer.Typer:
    """Two commands, and a group of one."""
    app, group = typer.Typer(), typer.Typer()
    app.callback()(lambda: None)
    app.add_typer(group, name="dead-letters")
    for each, name in ((app, "export"), (app, None), (group, "list")):
        each.command(name)(roll_back)
    return app


def roll_back() -> None:
    """A command that is named by its function."""


def names(app: typer.Typer) -> list[str]:
    """What can be called."""
    command = typer.main.get_command(app)
    return sorted(command.commands)  # type: ignore[attr-defined]


@pytest.mark.parametrize("asked", ["export", "roll-back", "dead-letters"])
def test_what_is_asked_for_is_left(asked: str) -> None:
    """By its name, or by that of its function; with a group, all that is in it."""
    whole = program()
    assert names(only(whole, [asked, "export", "--help"])) == [asked]
    assert len(names(whole)) == 3


@pytest.mark.parametrize("arguments", [[], ["--help"], ["exprot"], ["--version", "export"], [""]])
def test_without_a_command_all_are_there(arguments: list[str]) -> None:
    """So that the help lists them, and a slip of the pen is answered by what there is."""
    assert names(only(program(), arguments)) == ["dead-letters", "export", "roll-back"]
