"""The way back: what our links and the providers tell, checked, and to whom it is handed."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from germane.app.answers import AnswersAsEvents, Take
from germane.app.channels import link_keys
from germane.app.engine import Engine
from germane.config.channels import ChannelsSpec
from germane.deliver.channels.egress import Egress, Failed, Forbidden
from germane.domain.links import LinkKeys
from germane.ingest.providers.sns import SnsVerifier


@dataclass(frozen=True, slots=True)
class Back:
    """What the endpoints of links and providers need."""

    keys: LinkKeys
    answers: Take
    """Makes answers durable; the ledger puts its own in here."""
    sns: SnsVerifier
    sendgrid_key: str = ""
    postmark_secret: str = ""
    ses: bool = False
    purposes: Mapping[str, str] = field(default_factory=dict)
    """Consent purpose -> title, for the page of the unsubscription."""
    mailed: Callable[[], Collection[str]] = frozenset
    """Purposes that campaigns send e-mail for: what *no more e-mail at all* withdraws."""
    sent_ms: Callable[[str], int] = lambda _: 0
    """When a message went out, ms since 1970 UTC, by its id; 0: not known, when it was made counts."""
    wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    """Providers and mail programs live by the world's clock, whatever the engine's."""
    base_url: str = ""
    """Of this server, as people reach it; empty: it is not configured."""


def way_back(
    engine: Engine,
    spec: ChannelsSpec | None = None,
    take: Take | None = None,
    sent_ms: Callable[[str], int] | None = None,
) -> Back:
    """As configured. Without ``take`` answers become tracking events by the engine's own door."""
    spec = spec or ChannelsSpec()
    egress = Egress(timeout_s=10.0)

    async def fetch(url: str) -> bytes:
        try:
            answered = await egress.request("GET", url)
        except (Forbidden, Failed) as error:
            raise OSError(str(error)) from None
        if answered.status != 200:
            msg = f"status {answered.status}"
            raise OSError(msg)
        return answered.body

    return Back(
        keys=link_keys(spec, engine.key),
        answers=take or AnswersAsEvents(engine),
        sns=SnsVerifier(spec.ses_topics, fetch),
        sendgrid_key=spec.sendgrid_key,
        postmark_secret=spec.postmark_secret,
        ses=bool(spec.ses_topics),
        purposes=spec.links.purposes,
        mailed=lambda: engine.library.purposes("email"),
        sent_ms=sent_ms or _not_known,
        base_url=spec.links.base_url,
    )


def _not_known(message_id: str) -> int:
    return 0
