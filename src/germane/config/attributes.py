"""``[catalogue.attributes.NAME]``: what items have beside the fields that all of them have."""

from __future__ import annotations

from typing import Any

from germane.config import tables
from germane.config.problems import Problems, did_you_mean, near
from germane.config.reading import named
from germane.domain.settings import AttributeSpec

FIXED = {
    "id": "a text",
    "item_id": "a text",
    "type": "a text",
    "title": "a text",
    "price": "a number",
    "currency": "a text",
    "in_stock": "a flag",
    "inStock": "a flag",
    "url": "a text",
    "image_url": "a text",
    "imageUrl": "a text",
}
"""Fields of every item that keep no interests, and what they are."""
SECTION = "catalogue.attributes"
KINDS = {"category": ("text",), "brand": ("text",), "categories": ("text", "list")}
"""Fields of every item that may be declared, because they keep interests, and their kinds."""


def attributes(catalogue: dict[str, Any], problems: Problems) -> dict[str, AttributeSpec]:
    """The declared attributes; errors are noted in ``problems``."""
    for name, value in catalogue.items():
        if name != "attributes":
            remedy = (
                did_you_mean(name, ["attributes"])
                if isinstance(value, dict)
                else "Attributes are tables: [catalogue.attributes.NAME]."
            )
            shown = None if isinstance(value, dict | list) else value
            problems.add(f"catalogue.{name}", shown, "There is no such setting here.", remedy)
    said = catalogue.get("attributes", {})
    if not isinstance(said, dict):
        problems.add(SECTION, None, "It must be a table.", f"Write [{SECTION}.NAME].")
        return {}
    values = named({SECTION: said}, SECTION, tables.ATTRIBUTE, problems)
    for name in values:
        _standard(name, values[name].get("kind", "text"), problems)
    found = {name: AttributeSpec(name, **each) for name, each in values.items()}
    _one_is_diverse(found, len(found) < len(said), problems)
    return found


def _standard(name: str, kind: str, problems: Problems) -> None:
    key = f"{SECTION}.{name}"
    if name in FIXED:
        problems.add(
            key,
            None,
            f"Every item has this field, and it is {FIXED[name]}: it is no attribute to declare.",
            "Leave the table out; rules and filters know the field as it is.",
        )
    elif kind not in KINDS.get(name, (kind,)):
        problems.add(
            f"{key}.kind",
            kind,
            f"Every item has this field, and it is {' or '.join(KINDS[name])}.",
            "Leave kind out.",
        )


def unsure(name: str, problems: Problems) -> bool:
    """Whether an attribute that is not known may have been declared in a place that is wrong itself."""
    return (
        "catalogue" in problems.unsure
        or problems.at(f"{SECTION}.{name}")
        or any(each.key == SECTION or _lost(each.key, "attributes") for each in problems.found)
    )


def _lost(key: str, name: str) -> bool:
    """Whether a key below the catalogue is most likely a misspelt ``name``."""
    return key.startswith("catalogue.") and near(key.rpartition(".")[2], [name]) is not None


def _one_is_diverse(found: dict[str, AttributeSpec], lost: bool, problems: Problems) -> None:
    diverse = [name for name, spec in found.items() if spec.diversity]
    for name in diverse[1:]:
        problems.add(
            f"{SECTION}.{name}.diversity",
            True,
            f"Exactly one attribute has diversity = true, and {diverse[0]} has it already.",
            "Take it away from one of the two.",
        )
    lost |= any(_lost(each.key, "diversity") for each in problems.found)
    if found and not diverse and not lost:
        problems.add(
            SECTION,
            None,
            "Exactly one attribute must have diversity = true.",
            "Set it on the attribute that says what kind of thing an item is, usually category.",
        )
