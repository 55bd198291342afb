"""The audit of surfaces: can it vary, is its loop closed, has it a default, is there enough content?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from germane.domain.item import Item
from germane.domain.settings import Settings, SurfaceSpec

Level = Literal["error", "warning", "good"]


class Finding(msgspec.Struct, frozen=True):
    """One line of an audit."""

    surface: str
    check: str
    level: Level
    text: str
    remedy: str = ""


def audit(settings: Settings, items: Iterable[Item]) -> list[Finding]:
    """Findings for every surface, and for signals that nothing uses."""
    catalogue = list(items)
    found: list[Finding] = []
    for surface in settings.surfaces.values():
        found += audit_surface(surface, settings, catalogue)
    if not settings.surfaces:
        found.append(
            Finding(
                "",
                "surfaces",
                "error",
                "There is no surface: nothing can be decided.",
                "Add one: [surfaces.home-grid].",
            )
        )
    if not settings.signals:
        found.append(
            Finding(
                "",
                "signals",
                "error",
                "There is no signal: nothing can be learned.",
                "Add one: [signals.purchase].",
            )
        )
    return found


def audit_surface(surface: SurfaceSpec, settings: Settings, catalogue: list[Item]) -> list[Finding]:
    """Findings for one surface."""
    if surface.kind == "choice":
        return audit_choice(surface)
    fitting = [each for each in catalogue if each.type in surface.item_types]
    return [
        _loop(surface),
        _content(surface, fitting, bool(catalogue)),
        _default(surface, catalogue),
        _diversity(surface, settings, fitting),
    ]


def audit_choice(surface: SurfaceSpec) -> list[Finding]:
    """Findings for a choice surface."""
    name = surface.name
    ways = len(surface.actions) + surface.nothing
    found = [
        _loop(surface),
        Finding(name, "content", "good", f"{ways} actions{_with_nothing(surface)}."),
    ]
    if surface.default or surface.nothing:
        first = surface.default[0] if surface.default else "do nothing"
        found.append(Finding(name, "default", "good", f"The default: {first}."))
    else:
        found.append(
            Finding(
                name,
                "default",
                "warning",
                f"No default: people who opted out get {surface.actions[0].id}, the first action.",
                'Say which one: default = ["ID"].',
            )
        )
    if surface.exploration_share == 0:
        found.append(
            Finding(
                name,
                "exploration",
                "warning",
                "Nothing explores once the best action is clear: a change will not be noticed.",
                "Set exploration_share = 0.02 or more.",
            )
        )
    return found


def _with_nothing(surface: SurfaceSpec) -> str:
    return ", one of them to do nothing" if surface.nothing else ""


def blind(surface: SurfaceSpec) -> bool:
    """Whether nothing ever comes back from this surface."""
    return not surface.outcomes


def _loop(surface: SurfaceSpec) -> Finding:
    if blind(surface):
        return Finding(
            surface.name,
            "loop",
            "error",
            "RUNNING BLIND: it has no outcome, so it cannot learn whether it helps.",
            f"Add [[surfaces.{surface.name}.outcomes]] with a signal, a window and a value.",
        )
    names = ", ".join(each.name for each in surface.outcomes)
    return Finding(surface.name, "loop", "good", f"The loop is closed by: {names}.")


def _content(surface: SurfaceSpec, fitting: list[Item], any_items: bool) -> Finding:
    types = ", ".join(surface.item_types)
    if not any_items:
        return Finding(
            surface.name,
            "content",
            "warning",
            "The catalogue is empty.",
            "Import one: germane import catalogue FILE.",
        )
    if len(fitting) <= surface.size:
        return Finding(
            surface.name,
            "content",
            "error",
            f"It cannot vary: {len(fitting)} items of type {types} for {surface.size} slots.",
            "Add items, make it smaller, or allow more item types.",
        )
    if len(fitting) < 4 * surface.size:
        return Finding(
            surface.name,
            "content",
            "warning",
            f"Little to choose from: {len(fitting)} items for {surface.size} slots.",
            "Four times as many items as slots make a choice worth while.",
        )
    return Finding(surface.name, "content", "good", f"{len(fitting):,} items to choose from.")


def _default(surface: SurfaceSpec, catalogue: list[Item]) -> Finding:
    known = {each.item_id: each for each in catalogue}
    missing = [each for each in surface.default if each not in known] if known else []
    foreign = [
        each
        for each in surface.default
        if each in known and known[each].type not in surface.item_types
    ]
    usable = len(surface.default) - len(missing) - len(foreign)
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
    if missing or foreign:
        return _unusable(surface, missing, foreign)
    if not surface.default:
        return Finding(
            surface.name,
            "default",
            "warning",
            f"No curated default: people who opted out see {surface.default_source}.",
            'Lay out default = ["..."] as carefully as the personal one.',
        )
    return Finding(surface.name, "default", "good", f"{len(surface.default)} curated items.")


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
        f'Under [surfaces.{surface.name}] set default = ["ITEM", ...], best first, '
        'or default_source = "bestsellers".',
    )


def _unusable(surface: SurfaceSpec, missing: list[str], foreign: list[str]) -> Finding:
    parts = []
    if missing:
        parts.append(f"{len(missing)} are not in the catalogue ({', '.join(missing[:5])})")
    if foreign:
        parts.append(f"{len(foreign)} are of another type ({', '.join(foreign[:5])})")
    return Finding(
        surface.name,
        "default",
        "warning",
        f"Of the default list, {' and '.join(parts)}.",
        "Correct the ids, import the items, or allow their type in item_types.",
    )


def _diversity(surface: SurfaceSpec, settings: Settings, fitting: list[Item]) -> Finding:
    if surface.diversity_quota == 0:
        return Finding(
            surface.name,
            "diversity",
            "warning",
            "No diversity quota.",
            "10 to 20 % keeps people out of a bubble: diversity_quota = 0.15.",
        )
    name = settings.diversity_attribute
    kinds = {value for each in fitting for value in each.values_of(name)}
    if fitting and len(kinds) < 3:
        return Finding(
            surface.name,
            "diversity",
            "warning",
            f"Only {len(kinds)} values of {name}: the quota can hardly be met.",
            "Choose a finer attribute for diversity, or fill it in the catalogue.",
        )
    return Finding(
        surface.name,
        "diversity",
        "good",
        f"{surface.diversity_quota:.0%} of the slots from adjacent values of {name}.",
    )
