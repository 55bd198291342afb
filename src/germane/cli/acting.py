"""Acts of operators on the command line: on the data folder, or by the server that has it open."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from germane.cli import common
from germane.cli.asking import there
from germane.domain.errors import NoOperator, StorageBusy, UnknownOperator

if TYPE_CHECKING:
    from germane.app import Engine
    from germane.domain.operator import Operator

HOW = "command line"
"""From where a verdict came, as it is recorded."""


@dataclass(frozen=True, slots=True)
class Act:
    """One thing to do, in both ways."""

    here: Callable[[Engine], Awaitable[dict[str, Any]]]
    """With the data folder; the engine serves."""
    path: str
    """Of the API, where a server has the folder open."""
    body: dict[str, Any] | None = None
    method: str = ""
    operator: str = ""
    """In whose name."""


def done(act: Act, config: Path, data: Path | None) -> dict[str, Any]:
    """Do it; what came of it, as on the wire."""
    try:
        with common.opened(config, data, mode="write") as engine:
            return asyncio.run(_served(engine, act))
    except StorageBusy:
        return there(
            config, data, act.path, act.body, method=act.method or "", operator=act.operator
        )


async def _served(engine: Engine, act: Act) -> dict[str, Any]:
    await engine.start()
    try:
        return await act.here(engine)
    finally:
        await engine.stop()


def named(engine: Engine, name: str) -> Operator:
    """The operator in whose name the command acts.

    Raises:
        NoOperator: there is none of that name, or they are disabled.
    """
    from germane.app.operators import Operators

    try:
        found = Operators(engine).named(name)
    except UnknownOperator as error:
        raise NoOperator(error.message, hint=error.hint) from None
    if found.disabled:
        raise NoOperator(f"{name} is disabled.", hint="Act in another name.")
    return found
