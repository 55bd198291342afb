"""Content files: read, typed, every error with file, key, value and remedy; and the same from JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from germane.config import source
from germane.config.content_fields import CONTENT, SLOT
from germane.config.content_variants import variants
from germane.config.problems import Problem, Problems, did_you_mean, problems_of
from germane.config.reading import read
from germane.domain.canonical import bare
from germane.domain.content import Content, Kind, Slot
from germane.domain.errors import ConfigInvalid, ContentInvalid, UnknownContent

SLOTS_MAX = 40
FOLDER = "content"
"""Beside ``germane.toml``."""
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_TOP = "@"
_WIRE = {"defaultLocale": "default_locale", "needsStock": "needs_stock"}
HEADS: tuple[Kind, ...] = ("subject", "preheader")


def load_content(path: Path) -> Content:
    """A content file.

    Raises:
        ContentInvalid: with every error in ``details["errors"]``.
    """
    try:
        table = source.parse(source.read_text(path), str(path))
    except ContentInvalid:
        raise
    except ConfigInvalid as error:
        raise ContentInvalid(error.message, hint=error.hint, **error.details) from None
    return content_of(table, path.stem, str(path))


def content_files(folder: Path) -> list[Path]:
    """The content files of a folder, by name.

    Raises:
        UnknownContent: there is no such folder, or none in it.
    """
    found = sorted(folder.glob("*.toml")) if folder.is_dir() else []
    if not found:
        raise UnknownContent(
            f"There is no content in {folder}.",
            hint="Write one: content/NAME.toml, or name its folder.",
        )
    return found


def load_folder(folder: Path) -> tuple[list[Content], list[Problem]]:
    """All content of a folder, and every error of all files."""
    contents, problems = [], []
    for path in content_files(folder):
        try:
            contents.append(load_content(path))
        except ContentInvalid as error:
            problems += problems_of(error)
    return contents, problems


def content_of(table: Mapping[str, Any], content_id: str, file: str = "") -> Content:
    """A content item from its table.

    Args:
        table: As TOML or JSON has it, with the names of the file.
        content_id: Its id: the name of its file.
        file: What errors call it.

    Raises:
        ContentInvalid: with every error in ``details["errors"]``.
    """
    problems = Problems()
    if not _ID.fullmatch(content_id):
        problems.add(
            "",
            content_id,
            "It is no id.",
            "Small letters, digits, - and _, at most 64: back-in-stock.",
        )
    rows = table.get("slots", [])
    values = read(
        {k: v for k, v in table.items() if k != "slots"}, CONTENT, _TOP, problems, ("slots",)
    )
    content = Content(content_id, values.pop("channel", "email"), **values)
    content = replace(content, slots=_slots(rows, content, problems))
    if "channel" in table and not problems.at(f"{_TOP}.channel"):
        _whole(content, table, problems)
    if problems.found:
        raise _invalid(problems.found, file or content_id)
    return content


def from_json(body: Mapping[str, Any], content_id: str) -> Content:
    """A content item as the API takes it: the names of the file, in camelCase.

    Raises:
        ContentInvalid: with every error in ``details["errors"]``.
    """
    known = {"contentId", "version"}
    table = {_WIRE.get(key, key): value for key, value in body.items() if key not in known}
    return content_of(table, content_id)


def to_json(content: Content) -> dict[str, Any]:
    """A content item as the API answers it; ``from_json`` reads it again."""
    plain = bare(replace(content, put_by=""))
    back = {name: wire for wire, name in _WIRE.items()}
    found = {back.get(key, key): value for key, value in plain.items() if key != "content_id"}
    found.setdefault("defaultLocale", content.default_locale)
    return {"contentId": content.content_id, "version": content.version, **found}


def _invalid(found: Iterable[Problem], file: str) -> ContentInvalid:
    named = [replace(each, key=_place(each.key, file)) for each in found]
    count = len(named)
    return ContentInvalid(
        f"The content has {count} error{'s' if count != 1 else ''}:\n"
        + "\n".join(f"  {each}" for each in named),
        errors=[msgspec.to_builtins(each) for each in named],
    )


def _place(key: str, file: str) -> str:
    below = key.removeprefix(_TOP).removeprefix(".")
    return f"{file}: {below}" if below else file


def _slots(rows: Any, content: Content, problems: Problems) -> tuple[Slot, ...]:
    key = f"{_TOP}.slots"
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        problems.add(key, None, "It must be a list of tables.", "Write [[slots]] before each.")
        return ()
    if len(rows) > SLOTS_MAX:
        problems.add(key, len(rows), f"A content has at most {SLOTS_MAX} slots.", "Make two of it.")
    found: list[Slot] = []
    for place, row in enumerate(rows):
        name = row.get("name")
        where = f"{key}[{name if isinstance(name, str) and name else place}]"
        values = read(row, SLOT, where, problems, also=("variants",))
        if "name" not in values or "kind" not in values:
            continue
        if not _ID.fullmatch(values["name"]):
            problems.add(f"{where}.name", name, "It is no name.", "Small letters, digits, - and _.")
        if any(each.name == values["name"] for each in found):
            problems.add(f"{where}.name", name, "Two slots have this name.", "Rename one.")
        slot = Slot(**values)
        _fits(slot, row, where, problems)
        found.append(
            replace(slot, variants=variants(row.get("variants"), slot, content, where, problems))
        )
    return tuple(found)


def _fits(slot: Slot, row: Mapping[str, Any], where: str, problems: Problems) -> None:
    """What only slots that show items have."""
    for name in ("surface", "size"):
        if name in row and slot.kind != "items":
            problems.add(
                f"{where}.{name}", row[name], "Only slots of kind items have it.", "Leave it out."
            )
    if "size" in row and not slot.surface and slot.kind == "items":
        problems.add(
            f"{where}.size",
            row["size"],
            "Without a surface there is one item.",
            "Name a surface, or leave it out.",
        )


def _whole(content: Content, table: Mapping[str, Any], problems: Problems) -> None:
    """What only the whole can tell."""
    kinds = [each.kind for each in content.slots]
    for name in ("form", "anchor"):
        if name in table and content.channel != "inapp":
            problems.add(
                f"{_TOP}.{name}", table[name], "Only in-app content has it.", "Leave it out."
            )
    if "layout" in table and content.channel != "email":
        problems.add(f"{_TOP}.layout", table["layout"], "Only e-mails have it.", "Leave it out.")
    for kind in HEADS:
        if content.channel != "email" and kind in kinds:
            problems.add(
                f"{_TOP}.slots", kind, f"Only an e-mail has a {kind}.", "Use heading or value."
            )
        if kinds.count(kind) > 1:
            problems.add(f"{_TOP}.slots", kind, f"There are several of kind {kind}.", "Keep one.")
    if problems.at(f"{_TOP}.slots"):
        return
    if content.channel == "email" and "subject" not in kinds:
        problems.add(f"{_TOP}.slots", None, "An e-mail needs a subject.", _add("subject"))
    if not any(kind not in HEADS for kind in kinds):
        problems.add(f"{_TOP}.slots", None, "There is nothing to say.", _add("text"))


def _add(kind: str) -> str:
    return f'Add [[slots]] with name = "{kind}", kind = "{kind}" and [[slots.variants]].'


def find_content(folder: Path, name: str) -> Path:
    """The file of a content item, by its id or its path.

    Raises:
        UnknownContent: there is none; near names are told.
    """
    direct = Path(name)
    if direct.suffix == ".toml" and direct.exists():
        return direct
    path = folder / f"{name}.toml"
    if path.exists():
        return path
    known = [each.stem for each in folder.glob("*.toml")] if folder.is_dir() else []
    raise UnknownContent(
        f"There is no content {name!r} in {folder}.", hint=did_you_mean(name, known)
    )
