"""The text of a message in the outbox."""

from __future__ import annotations

import msgspec

from germane.app.engine import Engine
from germane.deliver import outbox
from germane.domain.content import Rendered
from germane.domain.message import Message
from germane.domain.moves import AnyMove, Planned, Rewritten

_decode = msgspec.msgpack.Decoder(AnyMove).decode


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
