"""A choice on the wire: the action, its exact propensity, how the others stand."""

from __future__ import annotations

from typing import Any

from germane.domain.decision import Actions, Choice
from germane.domain.item import Item
from germane.domain.settings import ActionSpec, SurfaceSpec

HOW = {
    "constant": "The best single choice, for everyone.",
    "personal": "Better for this person than the best single choice, and proven so.",
    "exploring": "Taken to learn.",
    "default": "The default: nothing that was learned went into it.",
}


def as_item(action: ActionSpec) -> Item:
    """An action where answers show an item."""
    return Item(action.id, type="action", title=action.title, attributes=dict(action.attributes))


def choice_view(choice: Choice, surface: SurfaceSpec | None, explain: bool) -> dict[str, Any]:
    """What was chosen; the standing of every action and the reasons only when asked to explain."""
    found: dict[str, Any] = {
        "action": choice.action or None,
        "propensity": choice.propensity,
        "how": choice.how,
        "meaning": HOW[choice.how],
        "bestForEveryone": choice.constant or None,
    }
    if explain:
        found["actions"] = standings(choice, surface)
        found["reasons"] = [
            {"code": x.code, "text": x.text, "contribution": x.contribution} for x in choice.reasons
        ]
    return found


def standings(choice: Choice, surface: SurfaceSpec | None) -> list[dict[str, Any]]:
    """Every action: how likely it is taken, and what it is expected to bring, less its cost."""
    titles = {each.id: each.title for each in surface.actions} if surface is not None else {}
    return [
        {
            "action": each.action or None,
            "title": titles.get(each.action) or each.action or "Do nothing",
            "propensity": each.propensity,
            "expected": each.mean,
            "low": each.low,
            "high": each.high,
            "decisions": each.decisions,
            "responses": each.responses,
        }
        for each in choice.arms
    ]


def standing_view(found: Actions, surface: SurfaceSpec) -> dict[str, Any]:
    """How a choice surface stands for everyone."""
    choice, made = found.choice, found.made
    total = sum(made.values())
    personal, exploring = made.get("personal", 0), made.get("exploring", 0)
    words = (
        "Nothing was chosen here yet."
        if not total
        else f"Of {total:,} choice{'' if total == 1 else 's'}, {personal:,} differed for a person because "
        f"that was proven better; {exploring:,} {'was' if exploring == 1 else 'were'} taken to learn; "
        "the others took the best single choice."
    )
    return {
        "surface": surface.name,
        "bestForEveryone": choice.constant or None,
        "reasons": [x.text for x in choice.reasons],
        "meaning": words,
        "made": {name: made.get(name, 0) for name in ("constant", "personal", "exploring")},
        "waiting": found.waiting,
        "actions": standings(choice, surface),
    }
