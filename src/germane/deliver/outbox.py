"""The outbox: what each move makes of a message. Pure; the ledger keeps the results."""

from __future__ import annotations

import zlib
from hashlib import blake2b, sha256
from typing import Any

import msgspec
from msgspec.structs import replace

from germane.domain.content import Rendered
from germane.domain.errors import WrongMove
from germane.domain.ledger import Entry
from germane.domain.message import Message, Status, Why, noted
from germane.domain.moves import Claimed, Held, Planned, Released, Rewritten, Settled
from germane.domain.sending import TRANSACTIONAL, Outgoing

MessageMove = Planned | Rewritten | Held | Released | Claimed | Settled
_WAITING: tuple[Status, ...] = ("approval", "queued")
_FROM: dict[type, tuple[Status, ...]] = {
    Rewritten: _WAITING,
    Held: (*_WAITING, "claimed", "ambiguous"),
    Released: ("approval",),
    Claimed: ("queued",),
    Settled: ("claimed",),
}
"""Which messages a move may be about."""
_NEVER: dict[type, tuple[Status, ...]] = {
    Planned: ("claimed", "sent", "ambiguous"),
    Held: ("claimed",),
    Settled: ("claimed", "approval"),
}
"""What a move makes of no message: it begins to go out by ``Claimed`` alone."""
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Message).decode
_decode_rendered = msgspec.msgpack.Decoder(Rendered).decode


def message_id(created_ms: int, key: str) -> str:
    """The id of a message for an occasion: of two, the later has the higher one."""
    named = key.encode("utf-8", "surrogatepass")
    return f"{created_ms:012x}{blake2b(named, digest_size=8).hexdigest()}"


def packed(rendered: Rendered) -> tuple[bytes, str]:
    """What a record holds of what is rendered, and its digest."""
    data = _encode(rendered)
    return zlib.compress(data, 1), sha256(data).hexdigest()


def errand(message_id: str, channel: str, outgoing: Outgoing, now_ms: int, **more: Any) -> Planned:
    """A message of no campaign to another program: due at once, never lost, never capped.

    Args:
        message_id: Its id in the ledger.
        channel: The way out.
        outgoing: The whole of it, as the channel gets it.
        now_ms: The moment, in milliseconds since 1970.
        more: What else a ``Message`` is to say.
    """
    whole = msgspec.to_builtins(outgoing)
    data, digest = packed(Rendered("", "", "webhook", "", payload=whole))
    message = Message(
        message_id=message_id,
        person=outgoing.person,
        channel=channel,
        campaign="",
        version="",
        content="",
        purpose=TRANSACTIONAL,
        kind="never_lost",
        priority="transactional",
        created_ms=now_ms,
        status="queued",
        due_ms=now_ms,
        digest=digest,
        **more,
    )
    return Planned(message, data)


def unpacked(data: bytes) -> Rendered:
    """The other way round."""
    return _decode_rendered(zlib.decompress(data))


def digest_of(data: bytes) -> str:
    """Digest of what a record holds, computed anew."""
    return sha256(zlib.decompress(data)).hexdigest()


def fold(message: Message | None, move: MessageMove, *, at_ms: int, seq: int) -> Message:
    """The message after a move.

    Args:
        message: Before it; ``None``: there is none of that id.
        at_ms: When the move was recorded, in milliseconds since 1970.
        seq: Log offset of its record.

    Raises:
        WrongMove: nothing like that may happen to a message in its state.
    """
    becomes = move.message.status if isinstance(move, Planned) else getattr(move, "status", "")
    if becomes in _NEVER.get(type(move), ()):
        raise WrongMove(f"Nothing is {becomes} by being {type(move).__name__.lower()}.")
    if isinstance(move, Planned):
        if message is not None:
            raise WrongMove(f"There is a message {message.message_id} already.")
        return replace(move.message, rendered_seq=seq)
    if message is None:
        raise WrongMove("There is no such message.")
    if message.status not in _FROM[type(move)]:
        what = type(move).__name__.lower()
        raise WrongMove(f"A message that is {message.status} cannot be {what}.")
    whys = noted(message, move.why)
    if isinstance(move, Rewritten):
        demands = tuple(dict.fromkeys((*message.demands, *move.message.demands)))
        return replace(
            move.message, status=message.status, demands=demands, rendered_seq=seq, whys=whys
        )
    if isinstance(move, Released):
        return replace(message, status="queued", due_ms=move.due_ms, whys=whys)
    if isinstance(move, Claimed):
        return replace(
            message,
            status="claimed",
            tried_ms=message.tried_ms or at_ms,
            claimed_ms=at_ms,
            address=move.address,
            attempts=message.attempts + 1,
            webhook=message.webhook if move.webhook is None else move.webhook,
            due_ms=0,
            whys=whys,
        )
    if isinstance(move, Held) and message.status == "approval" and move.status == "queued":
        raise WrongMove("A message that waits for approval is queued by nothing but its approval.")
    due_ms = move.due_ms if move.status in _WAITING else 0
    if move.status == "approval":  # its time stays, for when it is approved
        due_ms = due_ms or message.due_ms
    settled_ms = 0 if move.status in _WAITING else at_ms
    return replace(message, status=move.status, due_ms=due_ms, settled_ms=settled_ms, whys=whys)


def entry(message: Message) -> Entry:
    """How the ledger keeps it."""
    return Entry(
        "message",
        message.message_id,
        _encode(message),
        message.person,
        message.campaign,
        message.status,
        0 if message.status == "approval" else message.due_ms,
    )


def read(found: Entry) -> Message:
    """The message of an entry."""
    return _decode(found.body)


def left_by_a_crash(message: Message, at_ms: int) -> Held:
    """What becomes of a message that was claimed when the process ended: nobody knows whether it went out."""
    if message.kind == "never_lost":
        why = Why(at_ms, "crash.again", "The server stopped while it went out; it is sent again.")
        return Held(message.message_id, "queued", at_ms, why)
    why = Why(at_ms, "crash.ambiguous", "The server stopped while it went out; a person decides.")
    return Held(message.message_id, "ambiguous", 0, why)
