"""What the providers' bodies have in common: JSON that may be anything, times, and our own ids."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from germane.domain.answer import Answer, AnswerKind
from germane.domain.errors import BadRequest, MalformedJson
from germane.domain.machine import Fetch, judge
from germane.ingest.depth import too_deep

LIMIT_BYTES = 2_000_000
"""Of one request; SendGrid bundles up to some thousand events."""
MOST_EVENTS = 10_000
DEPTH = 32
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
Permanent = re.compile(r"^5\.1\.(?![78]$)\d+$")


def decoded(body: bytes) -> Any:
    """The body as JSON.

    Raises:
        MalformedJson: it is none.
        BadRequest: it nests too deeply.
    """
    if too_deep(body, DEPTH):
        raise BadRequest(f"The JSON nests deeper than {DEPTH} levels.")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedJson(f"The body is not valid JSON: {error}.") from None


def text(value: Any, most: int = 300) -> str:
    """A text on one line, shortened; what is none is empty. Numbers are written out."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return _CONTROL.sub(" ", str(value)).strip()[:most]


def table(value: Any) -> dict[str, Any]:
    """An object; what is none is empty."""
    return value if isinstance(value, dict) else {}


def rows(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; what is none is empty."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def instant(value: Any, now_ms: int) -> int:
    """Seconds since 1970, or RFC 3339, as ms; what cannot be read, or lies ahead, is now."""
    found = now_ms
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = int(value * 1000) if 0 < value < 1e11 else now_ms
    elif isinstance(value, str):
        try:
            at = datetime.fromisoformat(value.strip())
            found = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
        except (ValueError, OverflowError):
            return now_ms
    return found if 0 < found <= now_ms else now_ms


def ours(ids: Mapping[str, Any]) -> dict[str, str]:
    """Our ids among those that rode along."""
    found = {name: text(ids.get(name), 2_000) for name in
             ("message_id", "campaign_id", "decision_id", "person", "purpose")}  # fmt: skip
    return {name: _plain(value) for name, value in found.items() if value}


def _plain(value: str) -> str:
    if not value.startswith("b64."):
        return value
    try:
        raw = value[4:]
        return urlsafe_b64decode(raw + "=" * (-len(raw) % 4)).decode()
    except (Base64Error, ValueError):
        return ""


def judged(answer: Answer, ip: str = "", delivered_ms: int = 0, *, proxy: bool = False) -> Answer:
    """An open or a click with who did it: a person or a machine.

    Args:
        answer: With its agent.
        ip: Where it was asked from, if the provider says so.
        delivered_ms: When the message went out, ms since 1970 UTC; 0: not known.
        proxy: The provider itself says that a machine opened it.
    """
    kind = answer.kind
    if kind not in ("opened", "clicked"):
        return answer
    if proxy:
        who, why = "machine", "the provider says that a mail program opened it by itself"
        return msgspec.structs.replace(answer, judged=who, why=why, machine=True)
    fetch = Fetch(
        at_ms=answer.at_ms,
        kind="clicked" if kind == "clicked" else "opened",
        agent=answer.agent,
        ip=ip,
        delivered_ms=delivered_ms,
    )
    found, why = judge(fetch)
    return msgspec.structs.replace(answer, judged=found, why=why, machine=found == "machine")


def answered(kind: AnswerKind, source: str, key: str, at_ms: int, **more: Any) -> Answer:
    """An answer from what was read; a key that the provider left out is made of the rest."""
    return Answer(kind=kind, source=source, key=key or repr((at_ms, more)), at_ms=at_ms, **more)
