"""``content draft``: variants from the writer, put into the content file, waiting for a person."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from germane.cli import common
from germane.cli.common import many
from germane.cli.contents import catalogue, folder_of
from germane.domain.errors import GermaneError, WrongUse

if TYPE_CHECKING:
    from germane.domain.content import Content, Slot, Variant
    from germane.generate.writer.drafts import Drafts

KEPT = "writer"
"""Folder of kept answers, in the data folder."""
_SLOTS = re.compile(r"^[ \t]*\[\[[ \t]*slots[ \t]*\]\]", re.MULTILINE)


_LEADING = re.compile(r"(?:^[ \t]*(?:#[^\n]*)?\n)+\Z", re.MULTILINE)
"""Comments and empty lines at the end of a text."""


class Wanted(NamedTuple):
    """What was asked for on the command line."""

    content: str
    brief: str
    slot: str
    wanted: int
    locale: str = ""
    folder: Path | None = None
    dry_run: bool = False


class FolderCache:
    """Answers as files, one each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, key: str) -> bytes | None:
        """What was kept under a key."""
        path = self._folder / f"{key}.json"
        return path.read_bytes() if path.exists() else None

    def put(self, key: str, value: bytes) -> None:
        """Keep it, whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
            file.write(value)
        Path(file.name).replace(self._folder / f"{key}.json")


def run(wanted: Wanted, config: Path, data: Path | None, *, as_json: bool) -> int:
    """Ask, check, write down.

    Raises:
        WriterFailed: nothing usable came; the file is as it was.
    """
    from germane.config.contents import find_content, load_content
    from germane.generate.writer.brief import Brief, Catalogue
    from germane.generate.writer.client import ask
    from germane.generate.writer.drafts import draft

    loaded = common.load(config)
    spec = loaded.runtime.writer
    if not spec.url:
        raise WrongUse(
            "There is no writer.",
            hint="Name an endpoint in germane.toml: [writer] url and model; local ones will do.",
        )
    path = find_content(folder_of(config, wanted.folder), wanted.content)
    content = load_content(path)
    slot = _slot(content, wanted.slot)
    locale = wanted.locale or content.default_locale
    if locale != content.default_locale:
        raise WrongUse(
            f"A variant needs its default language, {content.default_locale}.",
            hint="Have it drafted in that one, and translate it in the file.",
        )
    brief = Brief(
        text=wanted.brief,
        content=content,
        slot=slot,
        locale=locale,
        count=wanted.wanted,
        settings=loaded.settings,
        spec=loaded.runtime.content,
        catalogue=Catalogue.of(catalogue(config, data)),
        tone=spec.tone,
    )
    cache = FolderCache(common.data_dir(loaded, config, data) / KEPT)
    drafts = draft(brief, lambda said: ask(spec, said), spec.model, cache)
    if not wanted.dry_run:
        write(path, content, slot, drafts.kept)
    _tell(drafts, path, slot, wanted, as_json=as_json)
    return 0


def _slot(content: Content, name: str) -> Slot:
    from germane.domain.near import did_you_mean

    slot = content.slot(name)
    if slot is None:
        raise WrongUse(
            f"{content.content_id} has no slot {name!r}.",
            hint=did_you_mean(name, [each.name for each in content.slots]),
        )
    return slot


def write(path: Path, content: Content, slot: Slot, new: tuple[Variant, ...]) -> None:
    """Put variants behind those of their slot; the rest of the file stays letter by letter.

    Raises:
        GermaneError: the file is not laid out so that this can be done; it is as it was.
    """
    from msgspec.structs import replace

    from germane.config.contents import load_content

    fresh = tuple(each for each in new if slot.variant(each.id) is None)
    if not fresh:
        return
    text = path.read_text("utf-8")
    starts = [found.start() for found in _SLOTS.finditer(text)]
    place = [each.name for each in content.slots].index(slot.name)
    end = starts[place + 1] if place + 1 < len(starts) else len(text)
    behind = _LEADING.search(text[:end])  # comments before the next slot belong to it
    split = behind.start() if behind is not None else end
    added = "\n\n".join(toml_of(each) for each in fresh)
    rest = text[split:].lstrip("\n")
    whole = f"{text[:split].rstrip()}\n\n{added}\n" + (f"\n{rest}" if rest else "")
    wanted = replace(
        content,
        slots=tuple(
            replace(each, variants=(*each.variants, *fresh)) if each.name == slot.name else each
            for each in content.slots
        ),
    )
    folder = Path(tempfile.mkdtemp(dir=path.parent, prefix=".draft-"))
    try:
        check = folder / path.name
        check.write_text(whole, encoding="utf-8")
        if load_content(check) != wanted:
            raise GermaneError(
                f"The drafts cannot be put into {path}: it is laid out in another way.",
                hint="Use --dry-run --json, and copy them.",
            )
        check.replace(path)
    finally:
        for each in folder.iterdir():
            each.unlink()
        folder.rmdir()


def toml_of(variant: Variant) -> str:
    """A variant as its table in a content file."""
    lines = [
        "[[slots.variants]]",
        f"id = {_text(variant.id)}",
        f"author = {_text(variant.author)}",
        f"approved = {str(variant.approved).lower()}          # read it, then set true",
    ]
    for tag, fields in variant.texts.items():
        lines += ["", f"[slots.variants.texts.{tag}]"]
        lines += [f"{name} = {_text(value)}" for name, value in fields.items()]
    return "\n".join(lines)


def _text(value: str) -> str:
    """A TOML text: JSON's escapes are among TOML's."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _tell(drafts: Drafts, path: Path, slot: Slot, wanted: Wanted, *, as_json: bool) -> None:
    import msgspec
    from rich.markup import escape

    if as_json:
        common.print_json(
            {
                "slot": slot.name,
                "cached": drafts.cached,
                "written": not wanted.dry_run,
                "variants": [
                    msgspec.to_builtins(each) | {"approved": False} for each in drafts.kept
                ],
                "refused": [msgspec.to_builtins(each) for each in drafts.refused],
            }
        )
        return
    out = common.console()
    for each in drafts.kept:
        texts = next(iter(each.texts.values()))
        out.print(f"[bold]{escape(each.id)}[/]  {escape(texts['text'])}")
        if "fallback" in texts:
            out.print(f"            [dim]else: {escape(texts['fallback'])}[/]")
    for refused in drafts.refused:
        out.print(f"[yellow]Refused[/] {escape(refused.text[:80])}")
        for fault in refused.faults[:3]:
            out.print(f"          [dim]{escape(fault)}[/]")
    where = "" if wanted.dry_run else f" in {path}"
    again = " (the same was asked before)" if drafts.cached else ""
    out.print(
        f"\n{many(len(drafts.kept), 'draft')}{where}{again}. They are not chosen before somebody has read "
        "them and set approved = true."
    )
