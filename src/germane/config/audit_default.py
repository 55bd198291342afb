"""The audit of default lists: can those who opted out, or are held out, be shown what they name?"""

from __future__ import annotations

from germane.config.finding import Finding
from germane.config.showable import Rules, to_be_had
from germane.domain.item import Item
from germane.domain.settings import SurfaceSpec
from germane.domain.toml import toml_key

MISSING, FOREIGN = "not in the catalogue", "of another type"
RULED, GONE = "kept out by its rules", "out of stock or outside their dates"
REMEDIES = {
    MISSING: "Correct the ids, or import the items.",
    FOREIGN: "Allow their type in item_types.",
    RULED: "Change the rules, or list other items.",
    GONE: "List items that are there.",
}
"""Why an item of the list cannot be shown, and what to do."""


def audit_default(
    surface: SurfaceSpec, catalogue: list[Item], rules: Rules, at_ms: int | None
) -> Finding:
    """The finding about a surface's default list."""
    lost = _lost(surface, catalogue, rules, at_ms)
    usable = len(surface.default) - sum(map(len, lost.values()))
    if surface.default_source == "curated":
        if not usable:
            return _no_default(surface)
        if usable < surface.size:
            return Finding(
                surface.name,
                "default",
                "warning",
                f"The default has {usable} items for {surface.size} slots, and nothing fills it up: "
                "the rest comes in the order of the catalogue.",
                'Add items to default, or set default_source = "bestsellers".',
            )
    if lost:
        return _unusable(surface, lost)
    if not surface.default:
        return Finding(
            surface.name,
            "default",
            "warning",
            f"No curated default: people who opted out see {surface.default_source}.",
            'Lay out default = ["..."] as carefully as the personal one.',
        )
    return Finding(surface.name, "default", "good", f"{len(surface.default)} curated items.")


def _lost(
    surface: SurfaceSpec, catalogue: list[Item], rules: Rules, at_ms: int | None
) -> dict[str, list[str]]:
    """Why items of the list cannot be shown -> which; nothing before the first import."""
    known = {each.item_id: each for each in catalogue}
    found: dict[str, list[str]] = {}
    for each in surface.default if known else ():
        item = known.get(each)
        if item is None:
            why = MISSING
        elif item.type not in surface.item_types:
            why = FOREIGN
        elif not rules.leave(item):
            why = RULED
        elif not to_be_had(item, surface, at_ms):
            why = GONE
        else:
            continue
        found.setdefault(why, []).append(each)
    return {why: found[why] for why in REMEDIES if why in found}


def _no_default(surface: SurfaceSpec) -> Finding:
    why = (
        f"none of the {len(surface.default)} items of its default list can be shown here"
        if surface.default
        else "its default list is empty"
    )
    return Finding(
        surface.name,
        "default",
        "error",
        f'NO DEFAULT: {why}, and default_source = "curated" fills nothing up. People who opted out '
        "or are held out would see items in the order of the catalogue.",
        f'Under [surfaces.{toml_key(surface.name)}] set default = ["ITEM", ...], best first, '
        'or default_source = "bestsellers".',
    )


def _unusable(surface: SurfaceSpec, lost: dict[str, list[str]]) -> Finding:
    parts = [f"{len(ids)} are {why} ({', '.join(ids[:5])})" for why, ids in lost.items()]
    return Finding(
        surface.name,
        "default",
        "warning",
        f"Of the default list, {' and '.join(parts)}.",
        " ".join(REMEDIES[why] for why in lost),
    )
