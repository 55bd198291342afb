"""The audit of rules: do the items that they name exist, can pins be shown, does every rule fit something?"""

from __future__ import annotations

from collections.abc import Sequence

from germane.config.finding import Finding, Level
from germane.config.showable import LOOKED_AT, Rules
from germane.domain.item import Item
from germane.domain.settings import RuleSpec, SurfaceSpec


def audit_rules(surface: SurfaceSpec, rules: Rules, catalogue: Sequence[Item]) -> list[Finding]:
    """What is wrong with them; nothing before the first import, when no id can be wrong. Of a choice the
    actions are the ``catalogue``."""
    if not catalogue:
        return []
    known = {each.item_id: each for each in catalogue}
    choice = surface.kind == "choice"
    found: list[Finding] = []
    for place, rule in enumerate(surface.rules):
        key = f"surfaces.{surface.name}.rules[{place}]"
        missing = [each for each in rule.items if each not in known]
        if missing:
            found.append(
                _finding(
                    surface,
                    f"{key}.items = {_list(missing)}: not "
                    f"{'among the actions' if choice else 'in the catalogue'}.",
                    f"Correct the ids, or {'add the actions' if choice else 'import the items'}.",
                )
            )
        if rule.kind == "pin":
            found += _pins(surface, key, rule, rules, known)
        elif not missing and not _fits(rules, place, catalogue):
            found.append(
                _finding(
                    surface,
                    f"{key}.when = {rule.when!r}: it fits none of {len(catalogue):,} "
                    f"{'actions' if choice else 'items'}.",
                    f"Compare its values with those of the {'actions' if choice else 'catalogue'}, or take the "
                    "rule out.",
                )
            )
    for place, why in rules.broken.items():
        key = f"surfaces.{surface.name}.rules[{place}].when"
        text = f"{key} = {surface.rules[place].when!r} fails: {why}"
        found.append(_finding(surface, text, "Correct the expression.", "error"))
    return found


def _fits(rules: Rules, place: int, catalogue: Sequence[Item]) -> bool:
    """Whether a rule fits any item; one that depends on the request may, as may one of which a large
    catalogue does not show it soon."""
    condition = rules.conditions.get(place)
    if condition is None or place in rules.fitted or len(catalogue) > LOOKED_AT:
        return True
    return any(condition(each) for each in catalogue)


def _pins(
    surface: SurfaceSpec, key: str, rule: RuleSpec, rules: Rules, known: dict[str, Item]
) -> list[Finding]:
    found = []
    first = rule.position or 0
    late = [each for n, each in enumerate(rule.items, first) if n >= surface.size]
    if late:
        found.append(
            _finding(
                surface,
                f"{key}.position = {first}: {_list(late)} would stand beyond the "
                f"{surface.size} slots, and is only shown where a request asks for more.",
                f"Choose a position from 0 to {surface.size - 1}.",
            )
        )
    there = [known[each] for each in rule.items if each in known]
    kept_out = [
        each.item_id
        for each in there
        if each.type not in surface.item_types or not rules.leave(each)
    ]
    if kept_out:
        found.append(
            _finding(
                surface,
                f"{key}.items = {_list(kept_out)}: kept out by item_types or by other rules, and "
                "never shown.",
                "A pin gives a place, no permission: change the rule that keeps it out, or the pin.",
            )
        )
    return found


def _list(names: Sequence[str]) -> str:
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


def _finding(surface: SurfaceSpec, text: str, remedy: str, level: Level = "warning") -> Finding:
    return Finding(surface.name, "rules", level, text, remedy)
