"""``[privacy]``: which law holds, what people are shown, and which banner speaks of which purpose."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from germane.config import tables
from germane.config.fields import Field
from germane.config.problems import Problems
from germane.config.reading import named, read, value_of
from germane.domain.purposes import PURPOSES, is_purpose, remedy
from germane.domain.settings import NoticeSpec, PrivacySpec, SignalSpec, TraitSpec
from germane.privacy.categories import sensitive


def privacy(table: dict[str, Any], folder: Path | None, problems: Problems) -> PrivacySpec:
    """``[privacy]``, typed; errors are noted in ``problems``.

    Args:
        table: As written.
        folder: Of the configuration file, where the files of notices are; ``None``: there is none.
        problems: Takes the errors.
    """
    values = read(
        table, tables.PRIVACY, "privacy", problems, also=("categories", "notices", "retention")
    )
    _check_purposes(values.get("gpc", ()), "privacy.gpc", problems)
    if not all(values.get("offline_ids", ())):
        problem, hint = "Every id begins with nothing.", 'Write how they begin: ["card:"].'
        problems.add("privacy.offline_ids", "", problem, hint)
    return PrivacySpec(
        **values,
        categories=_categories(table.get("categories", {}), problems),
        notices=_notices(table.get("notices", {}), folder, problems),
        retention=_retention(table.get("retention", {}), problems),
    )


def check_speech(
    signals: dict[str, SignalSpec], traits: dict[str, TraitSpec], problems: Problems
) -> None:
    """Sensitive data are never spoken of."""
    declared = (("signals", signals), ("traits", traits))
    for section, specs in declared:
        for name, spec in specs.items():
            if sensitive(spec.category) and spec.speakable:
                problems.add(
                    f"{section}.{name}.speakable",
                    True,
                    f"Data of the category {spec.category} are never spoken of.",
                    "Set speakable = false.",
                )


def _retention(table: Any, problems: Problems) -> dict[str, int]:
    if not isinstance(table, dict):
        remedy = "Write [privacy.retention], and below it a category and its months: health = 6."
        problems.add("privacy.retention", table, "It must be a table.", remedy)
        return {}
    return read(table, tables.RETENTION, "privacy.retention", problems)


def _categories(table: Any, problems: Problems) -> dict[str, tuple[str, ...]]:
    if not isinstance(table, dict):
        problems.add("privacy.categories", table, "It must be a table.", _CATEGORY)
        return {}
    found = {}
    for name, said in table.items():
        key = f"privacy.categories.{name}"
        purposes = value_of(Field(name, "texts", _CATEGORY), said, key, problems) or ()
        _check_purposes(purposes, key, problems)
        found[name] = tuple(purposes)
    return found


_CATEGORY = (
    "Name the purposes that a category of your consent banner speaks of: "
    'Ads = ["cross_channel_advertising"].'
)


def _notices(table: Any, folder: Path | None, problems: Problems) -> dict[str, NoticeSpec]:
    whole = {"privacy.notices": table if isinstance(table, dict) else {}}
    if not isinstance(table, dict):
        problems.add(
            "privacy.notices", table, "It must be a table.", "Write [privacy.notices.NAME]."
        )
    found = {}
    for name, values in named(whole, "privacy.notices", tables.NOTICE, problems).items():
        text = _text(f"privacy.notices.{name}", values, folder, problems)
        if text is not None and "version" in values:
            digest = sha256(text.encode()).hexdigest()
            found[name] = NoticeSpec(name, values["version"], digest)
    return found


def _text(path: str, values: dict[str, Any], folder: Path | None, problems: Problems) -> str | None:
    text, file = values.get("text", ""), values.get("file", "")
    if bool(text) == bool(file):
        what = "There are both a text and a file." if text else "There is no text."
        problems.add(path, None, what, 'Write text = "...", or file = "notice.txt".')
        return None
    if text:
        return str(text)
    where: Path = (folder or Path()) / str(file)
    try:
        return where.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = f"It cannot be read: {error}."
        problems.add(
            f"{path}.file", file, problem, "Name a UTF-8 text file beside the configuration."
        )
        return None


def _check_purposes(names: tuple[str, ...], key: str, problems: Problems) -> None:
    for each in names:
        if not is_purpose(each):
            problems.add(key, each, "It is no name of a purpose.", remedy(PURPOSES))
