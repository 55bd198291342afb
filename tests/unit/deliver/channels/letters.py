"""Messages to send."""

from __future__ import annotations

from typing import Any

from germane.deliver.channels.email import EmailSettings
from germane.domain.sending import Outgoing

SETTINGS = EmailSettings(sender="Shop <news@shop.example>")


def a_letter(**more: Any) -> Outgoing:
    """A marketing mail."""
    said: dict[str, Any] = {
        "message_id": "m-1",
        "person": "u:ann",
        "to": "ann@people.example",
        "subject": "Back in stock",
        "text": "Hello Ann,\nthe shoe is back.\n",
        "html": "<p>Hello Ann, the shoe is back.</p>",
        "purpose": "email_marketing",
        "unsubscribe_url": "https://go.shop.example/u/abc",
        "campaign_id": "back-in-stock",
        "decision_id": "d-1",
        "at_ms": 1_700_000_000_000,
    }
    return Outgoing(**(said | more))
