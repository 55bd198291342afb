"""Only the command that is asked for is prepared: Typer reads every option of every command first, which takes
longer than many commands do."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import typer
from typer.main import get_command_name


def only(app: typer.Typer, arguments: Sequence[str]) -> typer.Typer:
    """The program without what its first argument does not name; whole, if that names nothing."""
    asked = arguments[0] if arguments else ""
    commands = [
        each
        for each in app.registered_commands
        if asked == (each.name or get_command_name(getattr(each.callback, "__name__", "")))
    ]
    groups = [each for each in app.registered_groups if each.name == asked]
    if not (commands or groups):
        return app
    small = copy(app)
    small.registered_commands, small.registered_groups = commands, groups
    return small
