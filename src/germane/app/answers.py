"""What comes back about messages, as ordinary tracking events: logged, folded, attributed like all others."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.erasing import LIST
from germane.app.moving import ALL_MAIL, address_key
from germane.app.release import address_of
from germane.domain.answer import EVENT_NAMES, OURS, Answer
from germane.domain.event import Event
from germane.domain.item import Item
from germane.domain.message import Why
from germane.domain.moves import Suppressed
from germane.domain.purposes import EMAIL_MARKETING
from germane.privacy.erasure import Line, mark
from germane.privacy.refusals import GPC
from germane.storage.lines import lines

Take = Callable[[Sequence[Answer]], Awaitable[None]]
"""Makes answers durable; returns when they are."""
Whose = Callable[[str], str]
"""Id of a message to the key of its person; empty when nobody knows."""
MACHINE_NAMES = {"opened": "Email Opened by Machine", "clicked": "Email Link Clicked by Machine"}
"""Names of their own, so that no signal, no condition and no figure counts them by accident."""
AGAINST: dict[str, str] = {
    "unsubscribed": EMAIL_MARKETING,
    "complained": EMAIL_MARKETING,
    "bounced": "",
}
"""What speaks against writing to somebody, and for which purpose where it names none."""


def nobody(message_id: str) -> str:
    """Nobody keeps account of messages here."""
    return ""


class AnswersAsEvents:
    """Takes answers in by the engine's own door."""

    def __init__(self, engine: Engine, whose: Whose = nobody) -> None:
        self._engine = engine
        self._whose = whose

    async def __call__(self, answers: Sequence[Answer]) -> None:
        """Raises like ``Engine.accept``. Of an answer about a message that is not ours (the provider sends for
        others, too) only a no is kept, by the address's hash; the rest is counted."""
        events: list[Event] = []
        barred: list[Suppressed] = []
        for each in answers:
            if not lasts(self._engine, each):
                barred += _barred(each)
                continue
            person = each.person or (self._whose(each.message_id) if each.message_id else "")
            if person[:2] in ("u:", "a:") and len(person) > 2:
                event = event_of(each, person, item_of(self._engine, each))
                # The engine's clock may stand elsewhere than the world's: nothing is ahead of it.
                at_ms = min(event.at_ms, self._engine.world.now_ms())
                events.append(replace(event, at_ms=at_ms))
                if each.everything:
                    barred += self._closed(each.message_id, person, at_ms)
            else:
                barred += [x for x in _barred(each) if not self._stands(each, x)]
                named = f"answer {EVENT_NAMES[each.kind]}, of a message that is not ours"
                self._engine.refused[named] += 1
        await self._engine.accept(events, source="answers")
        if barred:
            await self._engine.move(barred)

    def _closed(self, message_id: str, person: str, at_ms: int) -> list[Suppressed]:
        """No more e-mail at all: whoever is behind the address that it went to, and the one they have now."""
        engine = self._engine
        message = engine.moving.message(engine.tenant, message_id)
        told = {
            message.address if message is not None and message.channel == "email" else "",
            address_of(engine.profile_of(person), "email"),
        }
        why = Why(at_ms, "unsubscribed", "Its owner wants no more e-mail at all.")
        keys = sorted({address_key("email", each) for each in told if each})
        return [Suppressed("email", key, ALL_MAIL, True, why) for key in keys]

    def _stands(self, answer: Answer, barred: Suppressed) -> bool:
        """Whether nothing is sent to that address already: providers tell things again."""
        engine = self._engine
        address, purpose = answer.address, barred.purpose
        return engine.moving.suppressed(engine.tenant, "email", address, purpose) is not None


def lasts(engine: Engine, answer: Answer) -> bool:
    """Whether anything is kept of an answer. Of somebody who is not known only a no is, and of one who was
    erased not even that: an old mail brings nobody back."""
    if not answer.person or engine.knows(answer.person, answer.message_id):
        return True
    return answer.kind in AGAINST and not _erased(engine, answer.person)


def _erased(engine: Engine, person: str) -> bool:
    """Whether somebody was erased under that key."""
    if engine.folder is None:
        return False
    named = mark(engine.key, engine.tenant, person)
    return any(named in each.people for each in lines(engine.folder / LIST, Line))


def _barred(answer: Answer) -> list[Suppressed]:
    """What is heard of somebody who is not known, or was erased: their address, where it is told, is not
    written to."""
    said_no = answer.kind in AGAINST and (answer.kind != "bounced" or answer.permanent)
    if not answer.address or not said_no:
        return []
    purpose = (answer.purpose if answer.kind == "unsubscribed" else "") or AGAINST[answer.kind]
    why = Why(answer.at_ms, answer.kind, "Nothing is sent to it any more.")
    return [Suppressed("email", address_key("email", answer.address), purpose, True, why)]


def item_of(engine: Engine, answer: Answer) -> str:
    """The item that somebody looked at: of the items of the message the one that the link leads to, or else
    what the message is about; empty where that is nothing, or not known."""
    if answer.kind not in ("opened", "clicked") or not answer.message_id:
        return ""
    message = engine.moving.message(engine.tenant, answer.message_id)
    if message is None:
        return ""
    made = (engine.decision(each) for each in message.decisions) if answer.url else ()
    slates = [each.items for each in made if each is not None and each.choice is None]
    shown = [message.item, *(each.item_id for items in slates for each in items)]
    return next((x for x in shown if _leads_to(answer.url, engine.item(x))), message.item)


def _leads_to(url: str, item: Item | None) -> bool:
    """Whether a link is that of an item, whatever was added for counting."""
    own = item.url.partition("#")[0] if item is not None else ""
    rest = url.removeprefix(own)
    return bool(own) and url.startswith(own) and rest[:1] in ("", "?", "&", "#")


def event_of(answer: Answer, person: str, item_id: str = "") -> Event:
    """The tracking event of an answer, by the names of the Segment specification.

    Args:
        answer: What came back.
        person: Key of the person, ``u:...`` or ``a:...``.
        item_id: What they looked at (``item_of``).
    """
    named = MACHINE_NAMES.get(answer.kind) if answer.machine else None
    properties: dict[str, Any] = {
        "email_id": answer.message_id,
        "campaign_id": answer.campaign_id,
        "decision_id": answer.decision_id,
        "email_subject": answer.subject,
        "link_url": answer.url,
        "item_id": item_id,
        "list_id": answer.purpose if answer.kind in ("unsubscribed", "resubscribed") else "",
        "reason": answer.detail,
        "provider": answer.source,
        "why": answer.why,
    }
    properties = {name: value for name, value in properties.items() if value}
    if answer.kind in ("opened", "clicked"):
        properties |= {"machine": answer.machine, "judged": answer.judged}
    if answer.kind == "bounced":
        properties["permanent"] = answer.permanent
    known = person.startswith("u:")
    context: dict[str, Any] = {"library": {"name": OURS}}
    if answer.address:
        context["traits"] = {"email": answer.address}
    if answer.gpc and not answer.machine:
        context[GPC] = True
    if answer.agent:
        context["userAgent"] = answer.agent
    return Event(
        message_id=answer.event_id,
        kind="track",
        at_ms=answer.at_ms,
        name=named or EVENT_NAMES[answer.kind],
        user_id=person[2:] if known else "",
        anonymous_id="" if known else person[2:],
        properties=properties,
        context=context,
    )
