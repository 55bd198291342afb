"""Reading ``germane.toml``, ``.env`` and the environment into frozen settings."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from germane.config import source, tables
from germane.config.build import build
from germane.config.fields import Field, read
from germane.config.imports import ImportSpec, imports
from germane.config.problems import Problems, did_you_mean, invalid
from germane.domain.errors import ConfigInvalid
from germane.domain.settings import Settings, TrainingSpec

PREFIX = "GERMANE_"
_TOP = (
    "project",
    "catalogue",
    "signals",
    "traits",
    "surfaces",
    "profile",
    "training",
    "server",
    "keys",
    "imports",
)


class Runtime(msgspec.Struct, frozen=True):
    """How the server runs, beside what it knows."""

    host: str = "127.0.0.1"
    port: int = 8400
    data: str = "germane-data"
    log: str = "pretty"
    allowed_origins: tuple[str, ...] = ()
    write_key: str = ""
    server_key: str = ""
    training: TrainingSpec = TrainingSpec()


class Loaded(msgspec.Struct, frozen=True):
    """A whole configuration."""

    settings: Settings
    runtime: Runtime
    imports: dict[str, ImportSpec] = {}
    """Named mappings of `germane import`."""


def load(path: Path, environment: Mapping[str, str]) -> Loaded:
    """Read and validate a configuration file.

    Raises:
        ConfigInvalid: with every error in ``details["errors"]``.
    """
    text = source.read_text(path)
    if not text.strip():
        raise ConfigInvalid(
            f"{path} is empty.",
            hint="`germane init DIR --recipe shop` writes one that explains itself.",
        )
    return load_text(text, {**_dotenv(path.parent / ".env"), **environment}, path)


def load_text(text: str, environment: Mapping[str, str], path: Path | None = None) -> Loaded:
    """Read and validate a configuration's text; ``path`` is the file it came from, if any.

    Raises:
        ConfigInvalid: with every error in ``details["errors"]``.
    """
    whole = source.parse(text, str(path) if path else "")
    problems = Problems()
    for name, value in whole.items():
        if name not in _TOP:
            problems.add(name, None, "There is no such table.", did_you_mean(name, _TOP))
        elif not isinstance(value, dict):
            problems.add(name, value, "It must be a table.", f"Write it as [{name}].")
    whole = {name: value for name, value in whole.items() if isinstance(value, dict)}
    _override(whole, environment, problems)
    settings = build(whole, problems)
    runtime = _runtime(whole, environment, problems)
    named = imports(whole, problems)
    if problems.found:
        raise invalid(problems.found)
    return Loaded(settings, runtime, named)


def _runtime(whole: dict[str, Any], environment: Mapping[str, str], problems: Problems) -> Runtime:
    server = read(whole.get("server", {}), tables.SERVER, "server", problems)
    keys = read(whole.get("keys", {}), tables.KEYS, "keys", problems)
    training = read(whole.get("training", {}), tables.TRAINING, "training", problems)
    every_s = training.pop("every", TrainingSpec().every_s)
    return Runtime(
        **server,
        write_key=environment.get("GERMANE_WRITE_KEY") or keys.get("write", ""),
        server_key=environment.get("GERMANE_SERVER_KEY") or keys.get("server", ""),
        training=TrainingSpec(**training, every_s=every_s),
    )


def _override(whole: dict[str, Any], environment: Mapping[str, str], problems: Problems) -> None:
    """``GERMANE_SECTION__KEY=value`` sets ``section.key``; deeper tables with more ``__``."""
    for name in sorted(environment):
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        path = [each.lower() for each in name.removeprefix(PREFIX).split("__")]
        if path[0] not in _TOP:
            problems.add(
                name, environment[name], "There is no such table.", did_you_mean(path[0], _TOP)
            )
            continue
        table = whole
        for step in path[:-1]:
            table = table.setdefault(_existing(table, step), {})
            if not isinstance(table, dict):
                break
        if isinstance(table, dict):
            key = _existing(table, path[-1])
            table[key] = _from_text(environment[name], _field(path))


def _existing(table: dict[str, Any], name: str) -> str:
    """Environment names have no case or dashes: ``HOME_GRID`` means ``home-grid``."""
    for known in table:
        if known.lower().replace("-", "_") == name.replace("-", "_"):
            return known
    return name


def _field(path: list[str]) -> Field | None:
    for table, fields in tables.TABLES.items():
        parts = table.split(".")
        if len(parts) == len(path) - 1 and parts[0] == path[0]:
            return next((f for f in fields if f.name == path[-1]), None)
    return None


def _from_text(text: str, field: Field | None) -> Any:
    kind = field.kind if field is not None else "text"
    if kind == "texts":
        return [each.strip() for each in text.split(",") if each.strip()]
    if kind in ("whole", "number", "flag"):
        try:
            return tomllib.loads(f"x = {text}")["x"]
        except tomllib.TOMLDecodeError:
            return text
    return text


def _dotenv(path: Path) -> dict[str, str]:
    """``NAME=value`` lines; ``#`` begins a comment."""
    if not path.exists():
        return {}
    found = {}
    for line in source.read_text(path).splitlines():
        name, mark, value = line.strip().removeprefix("export ").partition("=")
        if mark and not name.startswith("#"):
            found[name.strip()] = value.strip().strip("\"'")
    return found
