"""What a person answers to *why am I seeing this?*: the next decision obeys."""

from __future__ import annotations

from typing import Literal

import msgspec

from germane.app.consents import said_by
from germane.app.engine import Engine
from germane.app.stub import stub_decision
from germane.domain.decision import Decision, Reason
from germane.domain.errors import (
    BadRequest,
    NotAReason,
    NotShown,
    UnknownDecision,
    YesNotTrusted,
)
from germane.domain.moves import AnyMove, Disliked, Stated
from germane.domain.muting import item_key, source_of
from germane.domain.purposes import PERSONALISATION

Kind = Literal["less_like_this", "not_this_reason", "opt_out", "opt_in", "undo"]


class Feedback(msgspec.Struct, frozen=True):
    """What somebody said about a decision."""

    kind: Kind
    decision_id: str
    item_id: str = ""
    """Empty: no item, or the one at ``position``."""
    position: int | None = None
    reason: str = ""
    """Code of a reason that the decision gave."""
    method: str = "api"
    trusted: bool = True
    """Whether a yes to personalisation counts: a server says it, or a person with a token. Else only what was
    refused here can be taken back here."""


HERE = ("why page", "why button")
"""Methods of what is said where people ask why."""


def may_return(engine: Engine, person: str) -> bool:
    """Whether somebody who has opted out did so where they ask why, and so may come back there."""
    said = (
        x for x in said_by(engine.entries, engine.tenant, person) if x.purpose == PERSONALISATION
    )
    latest = next(said, None)
    return latest is not None and latest.state == "withdrawn" and latest.method in HERE


async def take(engine: Engine, person: str, said: Feedback) -> None:
    """Make it durable; from then on it holds.

    Args:
        engine: Who decides.
        person: Whom the decision was made for.
        said: What they say.

    Raises:
        UnknownDecision: no decision has that id, and the id is not signed by us.
        BadRequest: it is about an item, and names none.
        NotShown: the item is not in the decision.
        NotAReason: the decision gave no such reason, or it cannot be muted.
        YesNotTrusted: they opted out elsewhere, and nobody vouches for them.
    """
    if said.kind == "opt_in" and not said.trusted and not may_return(engine, person):
        raise YesNotTrusted()
    await engine.move([move_of(engine, person, said)])


def move_of(engine: Engine, person: str, said: Feedback) -> AnyMove:
    """What is recorded; raises like ``take``."""
    if said.kind in ("opt_out", "opt_in"):
        agrees, salt = said.kind == "opt_in", f"{engine.world.seed():x}"
        return Stated(person, PERSONALISATION, agrees, said.method, salt=salt)
    if said.kind == "undo":
        return Disliked(person, method=said.method, undone=True)
    decision = engine.decision(said.decision_id) or stub_decision(said.decision_id, engine.key)
    if decision is None:
        raise UnknownDecision(decision=said.decision_id[:80])
    if said.kind == "not_this_reason":
        reason = _reason(decision, said)
        return Disliked(person, sources={source_of(reason.code): reason.text}, method=said.method)
    return _less(engine, person, decision, said)


def category_of(engine: Engine, item_id: str) -> str:
    """What *like this* means of an item: its category (or what the configuration counts as one)."""
    item = engine.item(item_id)
    values = item.values_of(engine.settings.diversity_attribute) if item is not None else ()
    return values[0] if values else ""


def _less(engine: Engine, person: str, decision: Decision, said: Feedback) -> Disliked:
    item_id = _item(decision, said)
    if decision.choice is not None:  # an action is of no category
        return Disliked(person, (item_key(item_id, decision.surface),), method=said.method)
    category = category_of(engine, item_id)
    attribute = engine.settings.diversity_attribute
    values: dict[str, tuple[str, ...]] = {attribute: (category,)} if category else {}
    return Disliked(person, (item_id,), values, method=said.method)


def _item(decision: Decision, said: Feedback) -> str:
    """The item that it is about. Raises BadRequest, NotShown."""
    if not said.item_id and said.position is None:
        raise BadRequest(
            "itemId or position is needed.",
            hint="Name the item of the decision that they want less of: its itemId, or its position, from 0.",
        )
    for each in decision.items:
        if said.item_id in ("", each.item_id) and said.position in (None, each.position):
            return each.item_id
    raise NotShown(item=said.item_id[:80])


def _reason(decision: Decision, said: Feedback) -> Reason:
    """The reason that it is about, of the item, if one is named. Raises NotShown, NotAReason."""
    named = bool(said.item_id) or said.position is not None
    item_id = _item(decision, said) if named else ""
    for each in decision.items:
        for reason in each.reasons if not named or each.item_id == item_id else ():
            if reason.code == said.reason and source_of(reason.code):
                return reason
    raise NotAReason(reason=said.reason[:80])
