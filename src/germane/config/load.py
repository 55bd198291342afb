"""Reading ``germane.toml``, ``.env`` and the environment into frozen settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from germane.config import approvals, server, source, speech, tables
from germane.config import channels as channels_
from germane.config.build import build
from germane.config.channels import ChannelsSpec
from germane.config.environment import dotenv, override, told
from germane.config.imports import ImportSpec, imports
from germane.config.problems import Problems, did_you_mean, invalid, near
from germane.config.reading import belongs, read
from germane.domain.errors import ConfigInvalid
from germane.domain.settings import (
    PEOPLE_IN_MEMORY,
    ContentSpec,
    Settings,
    TrainingSpec,
    WriterSpec,
)


class Runtime(msgspec.Struct, frozen=True):
    """How the server runs, beside what it knows."""

    host: str = "127.0.0.1"
    port: int = 8400
    data: str = "germane-data"
    log: str = "pretty"
    allowed_origins: tuple[str, ...] = ()
    browser_decisions: str = "token"
    people_in_memory: int = PEOPLE_IN_MEMORY
    write_key: str = ""
    server_key: str = ""
    admin_key: str = ""
    """What commands ask a running server with; empty: the server key."""
    training: TrainingSpec = TrainingSpec()
    content: ContentSpec = ContentSpec()
    writer: WriterSpec = WriterSpec()


class Loaded(msgspec.Struct, frozen=True):
    """A whole configuration."""

    settings: Settings
    runtime: Runtime
    imports: dict[str, ImportSpec] = {}
    """Named mappings of `germane import`."""
    channels: ChannelsSpec = ChannelsSpec()


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
    return load_text(text, {**dotenv(path.parent / ".env"), **environment}, path)


def load_text(text: str, environment: Mapping[str, str], path: Path | None = None) -> Loaded:
    """Read and validate a configuration's text; ``path`` is the file it came from, if any.

    Raises:
        ConfigInvalid: with every error in ``details["errors"]``.
    """
    whole = source.parse(text, str(path) if path else "")
    problems = Problems()
    for name, value in whole.items():
        if name not in tables.TOP:
            problems.unsure.add(near(name, tables.TOP) or "")
            remedy = belongs(name) if not isinstance(value, dict) else None
            what = "table" if isinstance(value, dict | list) else "setting"
            problems.add(
                name,
                None if isinstance(value, dict | list) else value,
                f"There is no such {what}.",
                remedy or did_you_mean(name, tables.TOP),
            )
        elif not isinstance(value, dict):
            problems.unsure.add(name)
            shown = None if name in ("keys", *channels_.TOP) or isinstance(value, list) else value
            problems.add(name, shown, "It must be a table.", _heading(name))
    whole = {name: value for name, value in whole.items() if isinstance(value, dict)}
    channels_.refuse_secrets(whole, problems)
    origins = override(whole, environment, problems)
    folder = path.parent if path is not None else None
    settings = build(whole, problems, folder)
    runtime = _runtime(whole, environment, path, problems)
    mappings = imports(whole, problems)
    out = channels_.channels(whole, folder, problems)
    named = whole.get("channels", {}).get("webhook", {})
    approvals.check_webhooks(settings.approvals, named if isinstance(named, dict) else {}, problems)
    if problems.found:
        raise invalid(told(problems.found, origins))
    return Loaded(settings, runtime, mappings, out)


def _heading(name: str) -> str:
    several = name in ("signals", "traits", "surfaces", "imports")
    return f"Write it as [{name}.NAME]." if several else f"Write it as [{name}]."


def _runtime(
    whole: dict[str, Any], environment: Mapping[str, str], path: Path | None, problems: Problems
) -> Runtime:
    values = read(whole.get("server", {}), tables.SERVER, "server", problems)
    server.check(values, path.parent if path is not None else None, problems)
    keys = read(whole.get("keys", {}), tables.KEYS, "keys", problems)
    write_key = environment.get("GERMANE_WRITE_KEY") or keys.get("write", "")
    server_key = environment.get("GERMANE_SERVER_KEY") or keys.get("server", "")
    server.check_keys(write_key, server_key, problems)
    training = read(whole.get("training", {}), tables.TRAINING, "training", problems)
    every_s = training.pop("every", TrainingSpec().every_s)
    writer_key = environment.get("GERMANE_WRITER_KEY") or keys.get("writer", "")
    return Runtime(
        **values,
        write_key=write_key,
        server_key=server_key,
        admin_key=environment.get("GERMANE_ADMIN_KEY") or keys.get("admin", ""),
        training=TrainingSpec(**training, every_s=every_s),
        content=speech.content(whole.get("content", {}), problems),
        writer=speech.writer(whole.get("writer", {}), writer_key, problems),
    )
