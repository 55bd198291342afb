"""Webhooks: a message as a signed request, to public addresses only."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from germane.deliver.channels.egress import Answered, Egress, Failed, Forbidden
from germane.deliver.channels.signatures import signed
from germane.domain.sending import Outgoing, Refused, Result, Retry, Sent

LONGEST_WAIT_S = 6 * 3600
"""However long the receiver asks us to wait."""
_ID = re.compile(r"[!-~]{1,200}")
_encode = msgspec.json.Encoder(order="deterministic").encode


class WebhookChannel:
    """One receiver. It dedupes on ``webhook-id``, so whatever got no answer is simply sent again."""

    def __init__(
        self,
        url: str,
        keys: Sequence[bytes],
        egress: Egress,
        *,
        now_s: Callable[[], float] = time.time,
        body: Callable[[Outgoing], dict[str, Any]] | None = None,
        content_type: str = "application/json",
    ) -> None:
        self._url = url
        self._keys = tuple(keys)
        self._egress = egress
        self._now_s = now_s
        self._body = body or message_body
        self._content_type = content_type

    async def send(self, outgoing: Outgoing) -> Result:
        """One request."""
        if not _ID.fullmatch(outgoing.message_id):
            return Refused("webhook.bad_id", "The message id cannot stand in a header.")
        try:
            body = _encode(self._body(outgoing))
        except (UnicodeEncodeError, TypeError, ValueError) as error:
            return Refused(
                "webhook.bad_payload", f"The payload cannot be written as JSON: {error}."
            )
        headers = {
            "content-type": self._content_type,
            **signed(outgoing.message_id, int(self._now_s()), body, self._keys),
        }
        try:
            answered = await self._egress.request("POST", self._url, headers=headers, body=body)
        except Forbidden as error:
            return Refused("webhook.forbidden", str(error))
        except Failed as error:
            return Retry(0, f"The receiver gave no answer: {error.reason}.", "webhook.no_answer")
        return self._result(answered)

    def _result(self, answered: Answered) -> Result:
        status = answered.status
        said = f"The receiver answered {status}."
        if 200 <= status < 300:
            return Sent(f"status {status}")
        if status == 410:
            return Refused("webhook.gone", "The receiver wants no more of these (410).")
        if status in (429, 503):
            return Retry(self._wait_s(answered), said, "webhook.busy")
        if status >= 500 or status in (408, 425):
            return Retry(0, said, "webhook.failing")
        if 300 <= status < 400:
            return Refused(
                "webhook.redirect", f"{said} Redirects are not followed: name the last URL."
            )
        return Refused("webhook.refused", said)

    def _wait_s(self, answered: Answered) -> float:
        """``Retry-After``, in seconds or as a date."""
        text = answered.headers.get("retry-after", "").strip()
        if re.fullmatch(r"[0-9]{1,9}", text):
            return float(min(int(text), LONGEST_WAIT_S))
        try:
            wait_s = parsedate_to_datetime(text).timestamp() - self._now_s()
        except (ValueError, OverflowError):
            return 0.0
        return min(max(wait_s, 0.0), float(LONGEST_WAIT_S))

    async def close(self) -> None:
        """Nothing is kept open."""


def message_body(outgoing: Outgoing) -> dict[str, Any]:
    """What a receiver gets: the payload, and what it is about."""
    return {
        "type": outgoing.kind,
        "messageId": outgoing.message_id,
        "person": outgoing.person,
        "purpose": outgoing.purpose,
        "campaign": outgoing.campaign_id,
        "decisionId": outgoing.decision_id,
        "metadata": outgoing.metadata,
        "payload": outgoing.payload,
    }
