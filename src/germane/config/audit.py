"""The audit of surfaces: can it vary, is its loop closed, has it a default, is there enough content?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from germane.config.audit_default import audit_default
from germane.config.audit_rules import audit_rules
from germane.config.audit_values import audit_attributes, audit_features, audit_revenue
from germane.config.finding import Finding
from germane.config.showable import LOOKED_AT, Rules, Showable, showable
from germane.domain.item import Item
from germane.domain.settings import Settings, SurfaceSpec
from germane.domain.toml import toml_key
from germane.predict.bandit.choosing import as_item


def audit(
    settings: Settings,
    items: Iterable[Item],
    at_ms: int | None = None,
    *,
    most: int = LOOKED_AT,
) -> list[Finding]:
    """Findings for every surface.

    Args:
        settings: The configuration.
        items: The catalogue.
        at_ms: Now, in milliseconds since 1970 UTC: items outside their dates do not count.
        most: Rules are tried on no more items of a surface than this (some 80 µs an item and rule).
    """
    catalogue = list(items)
    found: list[Finding] = []
    for surface in settings.surfaces.values():
        found += audit_surface(surface, settings, catalogue, at_ms, most=most)
    found += audit_attributes(settings, catalogue)
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


def audit_surface(
    surface: SurfaceSpec,
    settings: Settings,
    catalogue: list[Item],
    at_ms: int | None = None,
    *,
    most: int = LOOKED_AT,
) -> list[Finding]:
    """Findings for one surface."""
    rules = Rules(surface, settings.attributes)
    if surface.kind == "choice":
        found = [*audit_choice(surface, rules), *audit_features(surface, catalogue)]
        return [*found, *audit_revenue(surface, settings, catalogue)]
    shown = showable(surface, catalogue, rules, at_ms, most)
    return [
        _loop(surface),
        _content(surface, shown, len(catalogue)),
        *audit_rules(surface, rules, catalogue),
        audit_default(surface, catalogue, rules, at_ms),
        _diversity(surface, settings, shown.left if shown.whole else shown.fitting),
        *_exploration(surface),
        *audit_revenue(surface, settings, catalogue),
        *_had(surface, settings),
    ]


def audit_choice(surface: SurfaceSpec, rules: Rules) -> list[Finding]:
    """Findings for a choice surface."""
    name = surface.name
    actions = [as_item(each) for each in surface.actions]
    left = showable(surface, actions, rules, None).left
    found = [_loop(surface), _ways(surface, len(left)), *audit_rules(surface, rules, actions)]
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


def _ways(surface: SurfaceSpec, left: int) -> Finding:
    ways = len(surface.actions) + surface.nothing
    if left + surface.nothing < 2:
        return Finding(
            surface.name,
            "content",
            "error",
            f"It cannot vary: its rules leave {left} of {len(surface.actions)} actions.",
            f"Change [[surfaces.{toml_key(surface.name)}.rules]], or add actions.",
        )
    kept = "" if left == len(surface.actions) else f" Its rules leave {left} of them."
    return Finding(
        surface.name, "content", "good", f"{ways} actions{_with_nothing(surface)}.{kept}"
    )


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
            f"Add [[surfaces.{toml_key(surface.name)}.outcomes]] with a signal, a window and a value.",
        )
    names = ", ".join(each.name for each in surface.outcomes)
    return Finding(surface.name, "loop", "good", f"The loop is closed by: {names}.")


def _content(surface: SurfaceSpec, shown: Showable, items: int) -> Finding:
    if not items:
        return Finding(
            surface.name,
            "content",
            "warning",
            "The catalogue is empty.",
            "Import one: germane import catalogue FILE.",
        )
    count = len(shown.left)
    if count < 4 * surface.size and not shown.whole:
        return Finding(
            surface.name,
            "content",
            "warning",
            f"Its rules leave {count:,} of the first {shown.looked_at:,} items; of "
            f"{len(shown.fitting):,}, the others were not looked at.",
            "`germane check` looks at all of them.",
        )
    if count <= surface.size:
        return Finding(
            surface.name,
            "content",
            "error",
            f"It cannot vary: {_counted(surface, shown, items)} for {surface.size} slots.",
            _more(surface, shown),
        )
    if count < 4 * surface.size:
        return Finding(
            surface.name,
            "content",
            "warning",
            f"Little to choose from: {_counted(surface, shown, items)} for {surface.size} slots.",
            "Four times as many items as slots make a choice worth while.",
        )
    more = "" if shown.whole else "more than "
    return Finding(surface.name, "content", "good", f"{more}{count:,} items to choose from.")


def _counted(surface: SurfaceSpec, shown: Showable, items: int) -> str:
    """``3 items (of 64: 60 of type product, 50 in stock, 3 left by its rules)``: where they went."""
    steps = [f"{shown.typed:,} of type {', '.join(surface.item_types)}"]
    if len(shown.fitting) < shown.typed:
        steps.append(f"{len(shown.fitting):,} to be had now")
    if len(shown.left) < len(shown.fitting):
        steps.append(f"{len(shown.left):,} left by its rules")
    return f"{len(shown.left):,} items (of {items:,}: {', '.join(steps)})"


def _more(surface: SurfaceSpec, shown: Showable) -> str:
    if len(shown.fitting) > surface.size:
        return f"Change [[surfaces.{toml_key(surface.name)}.rules]]: they leave too few."
    if shown.typed > surface.size:
        return "Bring items into stock, or set in_stock_only = false."
    return "Add items, make it smaller, or allow more item types."


def _exploration(surface: SurfaceSpec) -> list[Finding]:
    if surface.exploration_share == 0 or surface.explore_from < surface.size:
        return []
    return [
        Finding(
            surface.name,
            "exploration",
            "warning",
            f"Nothing explores: {surface.size} positions, and the first that may is {surface.explore_from} "
            "(counted from 0).",
            f"Set explore_from = {surface.size - 1} or less, or exploration_share = 0.",
        )
    ]


def _had(surface: SurfaceSpec, settings: Settings) -> list[Finding]:
    """That nothing says what people have, where the surface asks for it."""
    told = any(each.repeat and each.weight > 0 for each in settings.signals.values())
    if surface.already_bought == "allow" or told:
        return []
    return [
        Finding(
            surface.name,
            "had",
            "warning",
            f'already_bought = "{surface.already_bought}" does nothing: no signal says what people have.',
            "Set repeat = true for the signal after which an item counts as had: bought, finished, read.",
        )
    ]


def _diversity(surface: SurfaceSpec, settings: Settings, fitting: Sequence[Item]) -> Finding:
    if surface.diversity_quota == 0 and surface.kind == "together":
        return Finding(
            surface.name,
            "diversity",
            "good",
            "No diversity quota: what goes with an item need not be new to the person.",
        )
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
