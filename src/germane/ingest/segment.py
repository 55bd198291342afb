"""The Segment HTTP API's bodies, as typed events. A bad item costs itself, never its batch."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar, get_args

import msgspec

from germane.domain.errors import BadRequest, MalformedJson, TooLarge
from germane.domain.event import Event, EventKind, Rejection
from germane.domain.ids import external_id
from germane.ingest import limits
from germane.ingest.depth import too_deep
from germane.ingest.surrogates import without_halves

Route = Literal["track", "identify", "page", "screen", "group", "alias", "batch"]
KINDS: tuple[str, ...] = get_args(EventKind)
T = TypeVar("T")
_log = logging.getLogger(__name__)
OWN_NAME = "Germane"
"""Our name under ``integrations``: a client may switch us off for a message."""

KNOWN = frozenset(
    [
        "type",
        "event",
        "name",
        "category",
        "userId",
        "anonymousId",
        "previousId",
        "groupId",
        "messageId",
        "timestamp",
        "originalTimestamp",
        "sentAt",
        "receivedAt",
        "properties",
        "traits",
        "context",
        "integrations",
        "writeKey",
        "_metadata",
        "version",
        "channel",
        "options",
    ]
)
"""Top-level fields of a message that are read, or are Segment's own."""


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw]
    sentAt: Any = None  # noqa: N815 - the wire's name
    writeKey: Any = None  # noqa: N815
    context: Any = None
    integrations: Any = None


@dataclass(slots=True)
class Parsed:
    """Events in their order, what could not be used, and the key if the body carried one."""

    events: list[Event] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    write_key: str | None = None
    switched_off: int = 0
    """Messages that the client addressed to others than us."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Times of arrival, ms: ``wall_ms`` corrects the sender's clock, ``now_ms`` is the engine's."""

    wall_ms: int
    now_ms: int


def parse_kept(body: bytes, received_ms: int, message_id: str = "") -> Event | str:
    """The event in a message that was kept when it could not be used, or why there is still none.

    Args:
        body: The message, with what its batch said for it.
        received_ms: When it came: its time is what it would have been then.
        message_id: What it is known by if it says nothing; empty: anything.
    """
    parsed, clock = Parsed(), Clock(received_ms, received_ms)
    try:
        message = _object(body)
    except MalformedJson as error:
        return error.message
    _take(parsed, body, message, "", _Shared(None), clock, lambda: message_id or str(uuid.uuid4()))
    if parsed.rejected:
        return parsed.rejected[0].message
    return parsed.events[0] if parsed.events else "it is addressed to others than us"


class _Unusable(Exception):
    """One item cannot be used."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(message)


def parse(
    body: bytes,
    *,
    route: Route,
    wall_ms: int,
    now_ms: int,
    make_id: Callable[[], str] = lambda: str(uuid.uuid4()),
) -> Parsed:
    """Read a body.

    Args:
        body: Inflated JSON.
        route: Type of the single call, or ``batch``.
        wall_ms: The edge's wall clock; the engine's clock may be simulated.
        now_ms: The engine's clock.
        make_id: Makes a message id where there is none.

    Raises:
        MalformedJson: not JSON, or not an object.
        TooLarge: over the documented limits.
    """
    clock = Clock(wall_ms, now_ms)
    if len(body) > (limits.BATCH_BYTES if route == "batch" else limits.MESSAGE_BYTES):
        raise TooLarge(bytes=len(body))
    if too_deep(body, limits.DEPTH):
        raise BadRequest(f"The JSON nests deeper than {limits.DEPTH} levels.")
    if route == "batch":
        return _batch(body, clock, make_id)
    parsed = Parsed()
    message = _object(body)
    parsed.write_key = _key(message.get("writeKey"))
    _take(parsed, body, message, route, _Shared(message.get("sentAt")), clock, make_id)
    return parsed


@dataclass(frozen=True, slots=True)
class _Shared:
    """What a batch says for all of its items."""

    sent_at: Any
    context: Any = None
    integrations: Any = None

    def into(self, message: dict[str, Any], data: bytes, route: str) -> bytes:
        """A message with what was said for it elsewhere, so that it can be read alone later."""
        said: dict[str, Any] = {"type": route} if route else {}
        if self.sent_at is not None:
            said["sentAt"] = self.sent_at
        own = message.get("context")
        if isinstance(self.context, dict) and (own is None or isinstance(own, dict)):
            said["context"] = {**self.context, **(own or {})}
        return msgspec.json.encode(message | said) if said else data


def _batch(body: bytes, clock: Clock, make_id: Callable[[], str]) -> Parsed:
    whole = _decode_batch(body)
    if len(whole.batch) > limits.BATCH_MESSAGES:
        raise TooLarge(f"The batch has more than {limits.BATCH_MESSAGES:,} messages.")
    if whole.context and len(msgspec.json.encode(whole.context)) > limits.MESSAGE_BYTES:
        raise TooLarge(f"The batch's context has more than {limits.MESSAGE_BYTES:,} bytes.")
    parsed = Parsed(write_key=_key(whole.writeKey))
    shared = _Shared(whole.sentAt, whole.context, whole.integrations)
    for raw in whole.batch:
        data = bytes(raw)
        try:
            message = _object(data)
        except MalformedJson as error:
            parsed.rejected.append(Rejection("event.not_an_object", error.message, data))
            continue
        if len(data) > limits.MESSAGE_BYTES:
            parsed.rejected.append(_too_large(len(data), shared.into(message, data, "")))
            continue
        _take(parsed, data, message, "", shared, clock, make_id)
    return parsed


def _too_large(size: int, body: bytes) -> Rejection:
    """A message of a batch that is over the limit alone. It is kept whole: a person may replay it."""
    said = f"it has {size:,} bytes, over the limit of {limits.MESSAGE_BYTES:,}"
    return Rejection("event.too_large", f"{said}; kept whole, a replay takes it as it is", body)


def _decode_batch(body: bytes) -> _Batch:
    try:
        return _decode(body, _Batch)
    except msgspec.ValidationError as error:
        raise BadRequest(
            f"The batch is not of the right form: {error}.", hint='Send {"batch": [message, ...]}.'
        ) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise MalformedJson(f"The body is not valid JSON: {error}.") from None


def _decode(body: bytes, kind: type[T]) -> T:
    """JSON as clients write it: with halves of characters, too."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        mended = without_halves(body)
        if mended == body:
            raise
        return msgspec.json.decode(mended, type=kind)


def _object(body: bytes) -> dict[str, Any]:
    try:
        message = _decode(body, object)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise MalformedJson(f"The body is not valid JSON: {error}.") from None
    if not isinstance(message, dict):
        raise MalformedJson("The body is not a JSON object.")
    return message


def _take(
    parsed: Parsed,
    data: bytes,
    message: dict[str, Any],
    route: str,
    shared: _Shared,
    clock: Clock,
    make_id: Callable[[], str],
) -> None:
    try:
        if _switched_off(message.get("integrations")) or _switched_off(shared.integrations):
            parsed.switched_off += 1
            return
        parsed.events.append(_event(message, route, shared, clock, make_id))
    except _Unusable as problem:
        body = shared.into(message, data, route)
        parsed.rejected.append(Rejection(problem.code, problem.message, body))
    except Exception as error:  # a bug costs the message that it is about, never its batch
        _log.exception("a message could not be read")
        said = f"{type(error).__name__}: {error}".encode("utf-8", "replace").decode()
        body = shared.into(message, data, route)
        parsed.rejected.append(Rejection("event.parse_failed", said, body))


def _event(
    message: dict[str, Any],
    route: str,
    shared: _Shared,
    clock: Clock,
    make_id: Callable[[], str],
) -> Event:
    kind: Any = route or message.get("type")
    if kind not in KINDS:
        said = "there is no type" if kind is None else f"the type {_shown(kind)} is not known"
        known = f"{', '.join(KINDS[:-1])} or {KINDS[-1]}"
        raise _Unusable("event.unknown_type", f"{said}: it must be {known}")
    user_id, anonymous_id = _id(message, "userId"), _id(message, "anonymousId")
    previous_id, group_id = _id(message, "previousId"), _id(message, "groupId")
    _check_ids(kind, user_id, anonymous_id, previous_id, group_id)
    name = message.get("event") if kind == "track" else message.get("name")
    if kind == "track" and (not isinstance(name, str) or not name.strip()):
        raise _Unusable("event.missing_name", "a track call needs an event name")
    return Event(
        message_id=_message_id(message.get("messageId"), make_id),
        kind=kind,
        at_ms=_time(message, shared.sent_at, clock),
        name=name.strip() if isinstance(name, str) else "",
        user_id=user_id,
        anonymous_id=anonymous_id,
        previous_id=previous_id,
        group_id=group_id,
        properties=_dict(message, "properties"),
        traits=_dict(message, "traits"),
        context=_context(message, shared.context),
        extra={key: value for key, value in message.items() if key not in KNOWN},
    )


def _shown(value: Any) -> str:
    """A value as it was sent; a long one only begins."""
    return msgspec.json.encode(value).decode()[:60]


def _check_ids(kind: str, user: str, anonymous: str, previous: str, group: str) -> None:
    if kind == "alias":
        if not (user and previous):
            raise _Unusable("event.missing_id", "alias needs userId and previousId")
    elif not (user or anonymous):
        raise _Unusable("event.missing_id", "userId or anonymousId is needed")
    if kind == "group" and not group:
        raise _Unusable("event.missing_id", "group needs groupId")


def _id(message: dict[str, Any], name: str) -> str:
    value = message.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise _Unusable("event.bad_id", f"{name} must be text or a number")
    text = external_id(value)
    if len(text) > limits.ID_CHARS or "\x00" in text:
        raise _Unusable(
            "event.bad_id",
            f"{name} is longer than {limits.ID_CHARS} characters, or has a zero byte",
        )
    return text


def _message_id(value: Any, make_id: Callable[[], str]) -> str:
    if value is None or value == "":
        return make_id()
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _Unusable("event.bad_message_id", "messageId must be text")
    text = str(value)
    if len(text) > limits.MESSAGE_ID_CHARS:
        raise _Unusable(
            "event.bad_message_id", f"messageId is longer than {limits.MESSAGE_ID_CHARS} characters"
        )
    return text


def _dict(message: dict[str, Any], name: str) -> dict[str, Any]:
    value = message.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _Unusable("event.bad_property", f"{name} must be an object")
    return value


def _context(message: dict[str, Any], common: Any) -> dict[str, Any]:
    own = _dict(message, "context")
    return {**common, **own} if isinstance(common, dict) and common else own


def _switched_off(integrations: Any) -> bool:
    if not isinstance(integrations, dict):
        return False
    own = integrations.get(OWN_NAME)
    return own is False or (own is None and integrations.get("All") is False)


def _key(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _time(message: dict[str, Any], sent_at: Any, clock: Clock) -> int:
    """``original + (arrival - sentAt)``: right whatever the sender's clock says."""
    original = _instant(message, "originalTimestamp") or _instant(message, "timestamp")
    if original is None:
        return clock.now_ms
    sent = _milliseconds(sent_at if sent_at is not None else message.get("sentAt"))
    at_ms = original if sent is None else original + clock.wall_ms - sent
    if at_ms > clock.now_ms + limits.FUTURE_MS:
        return clock.now_ms
    return max(at_ms, 0)


def _instant(message: dict[str, Any], name: str) -> int | None:
    value = message.get(name)
    if value is None or value == "":
        return None
    found = _milliseconds(value)
    if found is None:
        raise _Unusable("event.bad_timestamp", f"{name} is not an ISO 8601 time: {_shown(value)}")
    return found


def _milliseconds(value: Any) -> int | None:
    """ISO 8601 text (without a zone: UTC), or seconds or milliseconds since 1970."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        if not 0 <= value < 1e14:
            return None
        return int(value if value >= 1e11 else value * 1000)
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value.strip())
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return int(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
