"""What commands share: the options for configuration and data, opening an engine, printing."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer

from germane.cli.openfiles import files_raised

if TYPE_CHECKING:
    from rich.console import Console

    from germane.app import Engine
    from germane.config import Loaded

Config = Annotated[
    Path,
    typer.Option(
        "--config",
        "-c",
        help="Configuration file.",
        envvar="GERMANE_CONFIG",
        readable=False,  # reading it says more about what is wrong
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data", "-d", help="Data folder; the configuration's by default.", envvar="GERMANE_DATA"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DEFAULT_CONFIG = Path("germane.toml")
Found = TypeVar("Found")


def console() -> Console:
    """For people: colours on a terminal, plain text elsewhere. ``:smile:`` is what somebody is called."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=True, emoji=False)


def print_json(value: Any) -> None:
    """For programs."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def many(count: float, one: str, more: str = "") -> str:
    """``1 row``, ``1,200 rows``, ``0 people``: a number with its noun (``more`` if it is not one + s)."""
    return f"{count:,.0f} {one if round(count) == 1 else more or one + 's'}"


def told_wrote(what: str, path: Path) -> None:
    """A file is there."""
    from rich.text import Text

    console().print(Text.assemble(("Wrote", "bold green"), f" {what} to {path}."))


def load(config: Path) -> Loaded:
    """The configuration, or ConfigInvalid."""
    from germane.config import load as load_config

    return load_config(config, os.environ)


def data_dir(loaded: Loaded, config: Path, data: Path | None) -> Path:
    """``--data``, else the configuration's folder, relative to the configuration file."""
    return data if data is not None else config.parent / loaded.runtime.data


def to_its_end(reading: Generator[int, None, Found], advance: Callable[[int], None]) -> Found:
    """Run what yields how many more it has read; what it returns."""
    while True:
        try:
            advance(next(reading))
        except StopIteration as ended:
            found: Found = ended.value
            return found


CLOCK = "demo.clock_ms"
"""Where a demo's data folder keeps the time at which its replay stopped."""


@contextmanager
def opened(
    config: Path,
    data: Path | None,
    *,
    mode: Literal["serve", "read", "write"],
    made: bool = False,
) -> Iterator[Engine]:
    """An engine for one command; a writing one leaves a snapshot, so that the next start is quick.

    Raises:
        NotFound: there is no data, and the command reads, or is about data that is there (``made``).
    """
    from germane.app import AcceleratedWorld, open_engine, save_snapshot
    from germane.storage.sqlite import SqliteStore

    files_raised()
    loaded = load(config)
    folder = data_dir(loaded, config, data)
    if made:
        SqliteStore.open(folder, mode="read").close()
    engine = open_engine(loaded.settings, folder, mode=mode)
    before = engine.seq
    stood = engine.store.meta(CLOCK)
    if stood:  # the demo's people live in the past: there, now is where its replay stopped
        engine.world = AcceleratedWorld(int(stood), 0.0)
    try:
        yield engine
        if mode != "read" and engine.seq != before:
            save_snapshot(engine, folder)
    finally:
        engine.store.close()
