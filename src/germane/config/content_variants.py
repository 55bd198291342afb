"""The variants of a slot: languages, fields, conditions, each text a template that compiles."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from germane.config.content_fields import VARIANT
from germane.config.problems import Problems, did_you_mean
from germane.config.reading import read
from germane.domain.content import FIELDS, Content, Slot, Variant
from germane.domain.errors import BadFilter, TemplateRefused
from germane.generate.eligible import condition
from germane.generate.locales import is_language

VARIANTS_MAX = 20
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*")
_HIDDEN = re.compile("[\ue000-\ue0ff\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def variants(
    rows: Any, slot: Slot, content: Content, where: str, problems: Problems
) -> tuple[Variant, ...]:
    """The tables ``[[slots.variants]]`` of a slot; errors are noted in ``problems``."""
    key = f"{where}.variants"
    if rows is None and slot.kind == "items":
        return (Variant("plain", texts={content.default_locale: {}}),)
    if not isinstance(rows, list) or not rows or not all(isinstance(each, dict) for each in rows):
        problems.add(
            key,
            None,
            "It needs one variant or more.",
            "Write [[slots.variants]] with an id and texts.",
        )
        return ()
    if len(rows) > VARIANTS_MAX:
        problems.add(key, len(rows), f"At most {VARIANTS_MAX} can be told apart.", "Keep the best.")
    found: list[Variant] = []
    for place, row in enumerate(rows):
        name = row.get("id")
        at = f"{key}[{name if isinstance(name, str) and name else place}]"
        values = read(row, VARIANT, at, problems, also=("texts", "attributes"))
        if "id" not in values:
            continue
        if not _ID.fullmatch(values["id"]):
            problems.add(f"{at}.id", name, "It is no id.", "Letters, digits, -, _ and points.")
        if any(each.id == values["id"] for each in found):
            problems.add(f"{at}.id", name, "Two variants have this id.", "Rename one.")
        _check_when(values.get("when", ""), at, problems)
        texts = _texts(row.get("texts"), slot, content, at, problems)
        attributes = _attributes(row.get("attributes", {}), at, problems)
        found.append(Variant(**values, texts=texts, attributes=attributes))
    if found and not any(each.approved for each in found) and slot.required:
        problems.add(key, None, "It is required, and no variant is approved.", "Approve one.")
    return tuple(found)


def _check_when(when: str, at: str, problems: Problems) -> None:
    if not when:
        return
    try:
        condition(when)
    except BadFilter as error:
        problems.add(f"{at}.when", when, error.message, error.hint)


def _texts(
    table: Any, slot: Slot, content: Content, at: str, problems: Problems
) -> dict[str, dict[str, str]]:
    """Language -> field -> template."""
    key = f"{at}.texts"
    default = content.default_locale
    if table is None and slot.kind == "items":
        return {default: {}}
    if not isinstance(table, Mapping) or not all(isinstance(x, Mapping) for x in table.values()):
        problems.add(
            key,
            None,
            "It needs texts by language.",
            f"Write [slots.variants.texts.{default}] with its fields.",
        )
        return {}
    if default not in table:
        problems.add(
            key,
            None,
            f"The default language, {default}, is missing.",
            f"Add [slots.variants.texts.{default}].",
        )
    found = {}
    for tag, fields in table.items():
        if not _TAG.fullmatch(tag) or not is_language(tag):
            problems.add(
                f"{key}.{tag}", tag, "It is no language.", "Write it like en, de or pt-BR."
            )
        found[tag] = checked_fields(fields, slot, f"{key}.{tag}", problems)
    return found


def checked_fields(
    table: Mapping[str, Any], slot: Slot, key: str, problems: Problems
) -> dict[str, str]:
    """The fields of a variant in one language; errors are noted in ``problems``."""
    must, may = FIELDS[slot.kind]
    known = (*must, *may)
    found = {}
    for name, value in table.items():
        at = f"{key}.{name}"
        if name not in known:
            shown = value if isinstance(value, str) else None
            problems.add(at, shown, f"A {slot.kind} has no such field.", did_you_mean(name, known))
        elif not isinstance(value, str):
            problems.add(at, value, "It must be text.", f'Write {name} = "...".')
        elif not value.strip():
            problems.add(at, value, "It is empty.", "Fill it in, or leave the line out.")
        elif _HIDDEN.search(value):
            problems.add(at, value, "There is a sign that cannot be seen.", "Write the text anew.")
        else:
            found[name] = value.strip()
            _check_template(found[name], at, problems)
    for name in must:
        if name not in table:
            problems.add(f"{key}.{name}", None, "It is missing.", f'Add {name} = "...".')
    return found


def _check_template(text: str, at: str, problems: Problems) -> None:
    from germane.generate.liquid import compiled  # it brings the templates' engine

    try:
        compiled(text)
    except TemplateRefused as error:
        problems.add(at, text, error.message, error.hint)


def _attributes(table: Any, at: str, problems: Problems) -> dict[str, str | float | bool]:
    if isinstance(table, Mapping) and all(_plain(x) for x in table.values()):
        return dict(table)
    problems.add(
        f"{at}.attributes",
        None,
        "It must be a table of texts, numbers and flags.",
        'For example attributes = { tone = "calm" }.',
    )
    return {}


def _plain(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str | int)
