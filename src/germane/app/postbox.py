"""Delivery as it is configured: channels, links of our own, the log for a CRM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from germane.app.answers import AnswersAsEvents, lasts
from germane.app.channels import link_keys, open_channels
from germane.app.composing import Composer
from germane.app.delivery import Delivery
from germane.app.engine import Engine
from germane.app.inbox import CHANNEL, InAppChannel
from germane.app.why import link_to_message
from germane.app.writing import rendered_of
from germane.config.channels import ChannelsSpec
from germane.deliver import outbox, tracking
from germane.deliver.channels import crm
from germane.domain.answer import Answer
from germane.domain.campaign import WEBHOOK
from germane.domain.links import LinkKeys
from germane.domain.message import Message
from germane.domain.moves import AnyMove, Planned
from germane.domain.purposes import TRANSACTIONAL
from germane.domain.sending import Channel, Outgoing
from germane.domain.settings import ContentSpec
from germane.generate.facts import Links

CRM = "crm"


@dataclass(frozen=True, slots=True)
class Postbox:
    """What delivery is made of."""

    engine: Engine
    spec: ChannelsSpec
    content: ContentSpec = field(default_factory=ContentSpec)
    prefix: str = ""
    """What stands before every path of this server, where its address is not configured."""

    def channels(self) -> dict[str, Channel]:
        """Every way out by name. A project with one webhook for messages need not name it.

        Raises:
            ConfigInvalid, NoLibrary: as ``open_channels``.
        """
        found: dict[str, Channel] = {**open_channels(self.spec), CHANNEL: InAppChannel()}
        if self.spec.only_webhook:
            found["webhook"] = found[WEBHOOK + self.spec.only_webhook]
        return found

    def delivery(self) -> Delivery:
        """What sends; raises like ``channels``."""
        return Delivery(
            self.engine,
            self.channels(),
            self.written,
            addresses=self.addresses,
            sent=self.logged if self.spec.crm is not None else None,
            spec=self.content,
            reserved=[WEBHOOK + each for each in self.spec.reminding],
        )

    def composer(self) -> Composer:
        """What makes and renders messages."""
        return Composer(self.engine, self.addresses, self.content)

    def addresses(self, message: Message) -> Links:
        """Addresses that a message's text names: where to unsubscribe, and why it was sent."""
        if message.channel != "email" or not self.spec.links.base_url:
            return Links()
        needed = message.purpose == TRANSACTIONAL  # nobody can do without
        leave = "" if needed else self._unsubscribe(message)
        return Links(unsubscribe=leave, why=self.why(message))

    def why(self, message: Message) -> str:
        """*Why am I seeing this?*, of a message; a path where this server does not know its own address."""
        return link_to_message(message, self._keys(), self.spec.links.base_url or self.prefix)

    def written(self, message: Message) -> Outgoing:
        """Everything of a message, with its links led over this server where that is wanted.

        Raises:
            LookupError: its text is not in the log any more.
        """
        rendered = rendered_of(self.engine, message)
        if message.channel == CRM or not message.person:
            return msgspec.convert(rendered.payload, Outgoing)
        outgoing = Outgoing(
            message_id=message.message_id,
            person=message.person,
            to=message.address if message.channel == "email" else "",
            subject=rendered.subject,
            html=rendered.html,
            text=rendered.text,
            payload=rendered.payload,
            purpose=message.purpose,
            unsubscribe_mailto=self.spec.email.unsubscribe_mailto if self.spec.email else "",
            campaign_id=message.campaign,
            decision_id=next(iter(message.credited), ""),
            at_ms=message.created_ms,
        )
        base = self.spec.links.base_url
        if message.channel != "email" or not base:
            return outgoing
        if message.purpose != TRANSACTIONAL:
            outgoing = msgspec.structs.replace(outgoing, unsubscribe_url=self._unsubscribe(message))
        track = self.spec.links.track
        return tracking.prepared(outgoing, self._keys(), base, track=track)

    async def answers(self, answers: Sequence[Answer]) -> None:
        """What came back: tracking events, and the CRM is told."""
        kept = [each for each in answers if lasts(self.engine, each)]
        await AnswersAsEvents(self.engine, self._whose)(answers)
        if self.spec.crm is not None:
            moves = [self._interaction(crm.answer_interaction(each)) for each in kept]
            await self.engine.move([each for each in moves if each is not None])

    def sent_ms(self, message_id: str) -> int:
        """When a message went out, in ms since 1970; 0: it is not known."""
        found = self.engine.moving.message(self.engine.tenant, message_id)
        return found.claimed_ms if found is not None else 0

    def logged(self, message: Message) -> list[AnyMove]:
        """That a message to a person went out, for the CRM."""
        if message.channel == CRM or not message.person:
            return []
        outgoing = crm.sent_interaction(
            self.written(message), message.channel, self.engine.world.now_ms()
        )
        move = self._interaction(outgoing)
        return [move] if move is not None else []

    def _interaction(self, outgoing: Outgoing) -> Planned | None:
        """A message to the CRM: never lost, and once however often it is told."""
        now_ms = self.engine.world.now_ms()
        message_id = outbox.message_id(outgoing.at_ms, outgoing.message_id)
        if self.engine.moving.message(self.engine.tenant, message_id) is not None:
            return None
        return outbox.errand(message_id, CRM, outgoing, now_ms)

    def _unsubscribe(self, message: Message) -> str:
        about = Outgoing(
            message_id=message.message_id,
            person=message.person,
            purpose=message.purpose,
            campaign_id=message.campaign,
            at_ms=message.created_ms,
        )
        return tracking.unsubscribe_url(about, self._keys(), self.spec.links.base_url)

    def _keys(self) -> LinkKeys:
        return link_keys(self.spec, self.engine.key)

    def _whose(self, message_id: str) -> str:
        found = self.engine.moving.message(self.engine.tenant, message_id)
        return found.person if found is not None else ""
