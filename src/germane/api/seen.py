"""A decision as a browser gets it: what people may see of it, and how their answers are to be sent.

No profile, no scores, no propensities, no candidates; of an item only what every item has and what is a
declared and speakable attribute of the catalogue, since others may be nobody's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from germane.api.choice import as_item
from germane.app.why import CHOSEN
from germane.domain.decision import Decision, SlateItem
from germane.domain.item import Item
from germane.domain.muting import source_of
from germane.domain.settings import Settings, SignalSpec, SurfaceSpec
from germane.profile.view import rfc3339

_PLAIN = ("title", "price", "currency", "url", "image_url")
_NAMES = {"image_url": "imageUrl"}
_ANSWERS = {
    "click": {"event": "Recommendation Clicked", "property": "item_id"},
    "dismiss": {"event": "Recommendation Dismissed", "property": "item_id"},
}
"""What is sent where the configuration declares nothing for it."""


def decision_for_people(
    decision: Decision, catalogue: Mapping[str, Item], settings: Settings, *, explain: bool
) -> dict[str, Any]:
    """A decision for the person whom it is about; with the sentences of its reasons if asked to explain."""
    surface = settings.surfaces[decision.surface]
    if decision.choice is not None:
        catalogue = {each.id: as_item(each) for each in surface.actions}
    items = []
    for each in decision.items:
        shown: dict[str, Any] = {"itemId": each.item_id, "position": each.position}
        if explain:
            shown["reasons"] = _sentences(decision, each)
            shown["reasonCodes"] = _codes(decision, each)
        shown["attributes"] = _attributes(catalogue.get(each.item_id), settings)
        items.append(shown)
    return {
        "decisionId": decision.decision_id,
        "surface": decision.surface,
        "kind": surface.kind,
        "arm": decision.arm,
        "expiresAt": rfc3339(decision.expires_ms),
        "items": items,
        "answers": {name: _answer(name, surface, settings) for name in _ANSWERS},
    }


def _sentences(decision: Decision, item: SlateItem) -> list[str]:
    """Why it is there, for the person. The reasons of a choice are figures, and for operators only."""
    if decision.choice is not None:
        return list(CHOSEN[decision.choice.how])
    return [reason.text for reason in item.reasons]


def _codes(decision: Decision, item: SlateItem) -> list[str]:
    """What *not for this reason* names, reason by reason; empty where a reason cannot be turned off."""
    if decision.choice is not None:
        return ["" for _ in CHOSEN[decision.choice.how]]
    return [reason.code if source_of(reason.code) else "" for reason in item.reasons]


def _attributes(item: Item | None, settings: Settings) -> dict[str, Any]:
    if item is None:
        return {}
    declared = {name for name, each in settings.attributes.items() if each.speakable}
    own = {"category": item.category, "brand": item.brand, **item.attributes}
    plain = {_NAMES.get(name, name): getattr(item, name) for name in _PLAIN}
    plain["currency"] = item.currency or settings.currency
    return {name: value for name, value in own.items() if name in declared} | plain


def _answer(name: str, surface: SurfaceSpec, settings: Settings) -> dict[str, str]:
    """How a click or a dismissal is to be told: as the track event that means it here, which teaches the
    profile, too, and is credited by its ``decision_id``; else as a reported outcome."""
    outcome = next((each for each in surface.outcomes if each.name == name), None)
    signal = settings.signals.get(outcome.signal if outcome is not None else name)
    event = _event(signal)
    if outcome is not None and (surface.kind == "choice" or event is None):
        return {"outcome": outcome.name}
    return event or _ANSWERS[name]


def _event(signal: SignalSpec | None) -> dict[str, str] | None:
    """The track event of a signal, and the property that names the item; None if it is not so simple."""
    if signal is None or ":" in signal.event:
        return None
    place, _, name = signal.item.partition(".")
    if place != "properties" or not name or set(name) & set(".[]"):
        return None
    return {"event": signal.event, "property": name}
