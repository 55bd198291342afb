"""In-app messages: a channel that only puts them down, and the inbox where a browser finds them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from germane.app.engine import Engine
from germane.app.sends import messages_of
from germane.app.showing import Showing
from germane.deliver.inbox import InboxMessage
from germane.domain.content import Rendered
from germane.domain.inbox import Button, Form, Nudge, Step
from germane.domain.message import Message
from germane.domain.profile import Profile
from germane.domain.sending import Outgoing, Result, Sent
from germane.profile.words import rfc3339

CHANNEL = "inapp"
LOOK_S = 1.0
"""A stream looks for what is new so often."""
MOST_REASONS = 3
MOST = 20
"""Messages that a browser is told of."""
_FORMS: dict[str, Form] = {"banner": "banner", "tooltip": "tooltip", "checklist": "checklist"}


def no_page(message: Message) -> str:
    """Nothing tells more of it."""
    return ""


class InAppChannel:
    """There is nothing to send: from now on the inbox has it."""

    async def send(self, outgoing: Outgoing) -> Result:
        """It waits for its person."""
        return Sent("It waits in the app.")

    async def close(self) -> None:
        """Nothing to close."""


class Waiting:
    """``domain.inbox.Inbox`` and ``deliver.inbox.InboxPort`` over the outbox."""

    def __init__(self, engine: Engine, why: Callable[[Message], str] = no_page) -> None:
        """``why``: address of the page that tells why a message is shown."""
        self._why = why
        self._engine = engine
        self._showing = Showing(engine)

    async def __call__(self, user_id: str, anonymous_id: str) -> Sequence[Nudge]:
        """What waits for a person, the oldest first: neither closed nor followed, nor out of date, and as
        right to show now as when it was put down (``app.showing``)."""
        return self.nudges(self._engine.whose(user_id, anonymous_id))

    async def waiting(self, person: str, after: str) -> Sequence[tuple[str, InboxMessage]]:
        """The same for a stream (``deliver.inbox.InboxPort``): what came behind a position."""
        found = self.nudges(self._engine.profile_of(person))
        return [(each.message_id, _streamed(each)) for each in found if each.message_id > after]

    async def changed(self, person: str, timeout_s: float) -> bool:
        """Whether something may be new before the time is over (``deliver.inbox.InboxPort``)."""
        known = self._newest(person)
        for _ in range(max(int(timeout_s / LOOK_S), 1)):
            await asyncio.sleep(LOOK_S)
            if self._newest(person) != known:
                return True
        return False

    def _newest(self, person: str) -> str:
        first = next(self._shown(self._engine.profile_of(person)), None)
        return first[0].message_id if first is not None else ""

    def nudges(self, person: Profile) -> list[Nudge]:
        """What waits for a person."""
        found = list(islice(self._shown(person), MOST))
        return [self._nudge(message, rendered) for message, rendered in reversed(found)]

    def _shown(self, person: Profile) -> Iterator[tuple[Message, Rendered]]:
        """What may be shown to a person now, with its text, the newest first."""
        engine, now_ms = self._engine, self._engine.world.now_ms()
        for each in messages_of(engine.entries, engine.tenant, person.person):
            if each.channel == CHANNEL and _open(each, now_ms):
                found = self._showing.look(each)
                if isinstance(found, Rendered):
                    yield each, found

    def _reasons(self, message: Message) -> tuple[str, ...]:
        """Why they are shown its items, as sentences for them; a choice between texts needs none."""
        made = (self._engine.store.decision(self._engine.tenant, x) for x in message.decisions)
        slates = [each for each in made if each is not None and each.choice is None]
        texts = (reason.text for each in slates for item in each.items for reason in item.reasons)
        return tuple(dict.fromkeys(texts))[:MOST_REASONS]

    def _nudge(self, message: Message, rendered: Rendered) -> Nudge:
        payload = rendered.payload
        form = _FORMS.get(str(payload.get("form")), "banner")
        blocks = [each for each in _rows(payload.get("blocks")) if isinstance(each, dict)]
        texts = [str(each.get("text", "")) for each in blocks if each.get("kind") == "text"]
        heads = [str(each.get("text", "")) for each in blocks if each.get("kind") == "heading"]
        title = heads[0] if heads else texts[0] if texts else ""
        body = texts if heads else texts[1:]
        asks = [each for each in blocks if each.get("kind") == "button"]
        return Nudge(
            message_id=message.message_id,
            form=form,
            title=title,
            text="\n".join(body),
            anchor=str(payload.get("anchor", "")),
            buttons=() if form == "checklist" else tuple(_button(each) for each in asks),
            steps=tuple(_step(each) for each in asks) if form == "checklist" else (),
            reasons=self._reasons(message),
            why_url=self._why(message),
            decision_id=next(iter(message.credited), ""),
            campaign=message.campaign,
            expires_at=rfc3339(message.expires_ms) or "",
        )


def _button(block: dict[str, Any]) -> Button:
    return Button(str(block.get("text", "")), str(block.get("url", "")))


def _step(block: dict[str, Any]) -> Step:
    return Step(str(block.get("slot", "")), str(block.get("text", "")), str(block.get("url", "")))


def _streamed(nudge: Nudge) -> InboxMessage:
    whole = msgspec.to_builtins(nudge)
    content = {name: whole[name] for name in ("title", "text", "buttons", "steps", "reasons")}
    content |= {"whyUrl": nudge.why_url} if nudge.why_url else {}
    return InboxMessage(
        message_id=nudge.message_id,
        campaign=nudge.campaign,
        form=nudge.form,
        anchor=nudge.anchor,
        content=content,
        decision_id=nudge.decision_id,
        expires_at=nudge.expires_at,
    )


def _open(message: Message, now_ms: int) -> bool:
    if message.status != "sent" or message.closed_ms or message.clicked_ms:
        return False
    return not message.expires_ms or now_ms < message.expires_ms


def _rows(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []
