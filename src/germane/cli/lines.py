"""The line that each request leaves in the log: byte for byte what structlog's chain makes of it, in a
small part of the time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from structlog import BoundLoggerBase
from structlog.contextvars import get_contextvars
from structlog.dev import ConsoleRenderer

_ODD = re.compile(r"""[ \t=\r\n"']""")
"""A text that holds one of these is quoted for people."""
_encode = msgspec.json.Encoder(enc_hook=repr).encode


class Straight(BoundLoggerBase):
    """A logger that asks its one renderer and writes."""

    def __init__(self, logger: Any, processors: Iterable[Any], context: Any) -> None:
        super().__init__(logger, processors, context)
        (self._render,) = processors

    def info(self, event: str, **said: Any) -> None:
        """A line; where it cannot be written there is none, and what it is about goes on."""
        said["event"] = event
        for name, value in get_contextvars().items():  # which project, where there are several
            said.setdefault(name, value)
        said["level"], said["timestamp"] = "info", _now()
        line = self._render(self._logger, "info", said)
        try:
            self._logger.msg(line)
        except (OSError, ValueError):  # the disk is full, nobody reads it, it is closed
            return


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def as_json(_: Any, level: str, said: Mapping[str, Any]) -> str:
    """For machines."""
    return _encode(said).decode()


class Pretty:
    """For people. What lines of one kind have in common is rendered once."""

    def __init__(self, *, colors: bool) -> None:
        self._render = ConsoleRenderer(colors=colors)
        self._forms: dict[tuple[str, ...], str] = {}

    def __call__(self, _: Any, level: str, said: Mapping[str, Any]) -> str:
        """The line."""
        kind = (level, said["event"], *said)
        form = self._forms.get(kind)
        if form is None:
            form = self._forms[kind] = self._form(said)
        return form % {name: _shown(value) for name, value in said.items()}

    def _form(self, said: Mapping[str, Any]) -> str:
        """The line with places for the values, but for the event and its level: they are padded and painted."""
        marks = {name: f"\0{name}\0" for name in said if name not in ("event", "level")}
        form = self._render(None, "", {**said, **marks}).replace("%", "%%")
        for name, mark in marks.items():
            form = form.replace(mark, f"%({name})s")
        return form


def _shown(value: Any) -> str:
    return value if isinstance(value, str) and not _ODD.search(value) else repr(value)
