"""Named statements from the .sql files beside this module."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_NAMED = re.compile(r"^-- name: (\w+)\n(.*?)(?=^-- name:|\Z)", re.MULTILINE | re.DOTALL)


@cache
def queries() -> dict[str, str]:
    """Statement by name."""
    text = files(__package__).joinpath("queries.sql").read_text()
    return {name: body.strip().rstrip(";") for name, body in _NAMED.findall(text)}


@cache
def schema() -> str:
    """The whole schema."""
    return (
        files(__package__).joinpath("schema.sql").read_text()
        + profile_schema()
        + ledger_schema()
        + archive_schema()
    )


def ledger_schema() -> str:
    """Of the ledger alone: it came with version 3."""
    return files(__package__).joinpath("entry.sql").read_text()


def profile_schema() -> str:
    """Of people alone: it is so since version 5."""
    return files(__package__).joinpath("profile.sql").read_text()


def archive_schema() -> str:
    """Of the archive alone: it came with version 4."""
    return files(__package__).joinpath("archive.sql").read_text()
