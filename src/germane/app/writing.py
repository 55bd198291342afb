"""From a message in the outbox to what a channel is given."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from germane.app.engine import Engine
from germane.deliver import outbox
from germane.domain.content import Rendered
from germane.domain.message import Message
from germane.domain.moves import AnyMove, Planned, Rewritten
from germane.domain.sending import Outgoing
from germane.generate.facts import Links

_decode = msgspec.msgpack.Decoder(AnyMove).decode
LinksOf = Callable[[Message], Links]


def rendered_of(engine: Engine, message: Message) -> Rendered:
    """The text of a message, as it stands in the log.

    Raises:
        LookupError: its record is gone.
    """
    record = engine.record(message.rendered_seq)
    if record is None:
        raise LookupError(f"the text of message {message.message_id} is not in the log any more")
    move = _decode(record.body)
    assert isinstance(move, Planned | Rewritten), "a text is written by these alone"
    return outbox.unpacked(move.rendered)


class Writer:
    """Makes what goes out."""

    def __init__(self, engine: Engine, links: LinksOf, mailto: Callable[[Message], str]) -> None:
        self._engine = engine
        self._links = links
        self._mailto = mailto

    def __call__(self, message: Message) -> Outgoing:
        """Everything of a message.

        Raises:
            LookupError: its text is gone.
        """
        rendered = rendered_of(self._engine, message)
        return Outgoing(
            message_id=message.message_id,
            person=message.person,
            to=message.address if message.channel == "email" else "",
            subject=rendered.subject,
            html=rendered.html,
            text=rendered.text,
            payload=rendered.payload,
            purpose=message.purpose,
            unsubscribe_url=self._links(message).unsubscribe,
            unsubscribe_mailto=self._mailto(message),
            campaign_id=message.campaign,
            decision_id=next(iter(message.decisions), ""),
            at_ms=message.created_ms,
        )
