"""What may speak against a message when its time has come, beside consent: its campaign, the hour, and
whether what it says is still true."""

from __future__ import annotations

from msgspec.structs import replace

from germane.app.composing import Composer
from germane.app.engine import Engine
from germane.app.release import Later, Never
from germane.app.sends import sends_of
from germane.app.stakes import amounts_of
from germane.app.writing import rendered_of
from germane.deliver import outbox, planning
from germane.deliver.policy import policy_of
from germane.domain.content import Rendered
from germane.domain.errors import GermaneError
from germane.domain.message import Message, Why
from germane.domain.moves import Rewritten
from germane.domain.plan import Ask, Plan
from germane.domain.profile import Profile
from germane.generate.claims import check_claims

PAUSED_S = 600
"""A message of a paused campaign is looked at again after so many seconds."""


class Checks:
    """All of them, in their order."""

    def __init__(self, engine: Engine, composer: Composer) -> None:
        self._engine = engine
        self._composer = composer

    def __call__(self, message: Message, person: Profile, now_ms: int) -> Later | Never | None:
        """The first that speaks against it; ``None``: nothing does."""
        return (
            standing(self._engine, message, now_ms)
            or self._wanted(message, now_ms)
            or self._hour(message, person, now_ms)
            or self._true(message, now_ms)
        )

    def _wanted(self, message: Message, now_ms: int) -> Never | None:
        """What had to hold when it was asked for still does."""
        engine = self._engine
        no = engine.enrolling.unwanted(engine.tenant, message, now_ms=now_ms)
        return None if no is None else Never("cancelled", Why(now_ms, no.code, no.text))

    def _hour(self, message: Message, person: Profile, now_ms: int) -> Later | Never | None:
        """Caps, quiet hours, window: what else was sent since it was planned counts."""
        campaign = self._engine.library.campaigns.get(message.campaign)
        place = campaign.step_at(message.step) if campaign is not None else None
        if campaign is None or place is None:
            return None
        settings = self._engine.settings
        found = planning.release(
            policy_of(campaign, campaign.steps[place], settings.delivery),
            Ask(
                key=message.message_id,
                person=person.person,
                now_ms=now_ms,
                due_ms=message.asked_ms or message.created_ms,
                zone=person.timezone,
                default_zone=settings.default_zone,
                sends=sends_of(self._engine.entries, self._engine.tenant, person.person),
            ),
            Plan(message.due_ms, ()),
        )
        for message_id in found.takes:
            self._composer.give_way(message_id)
        if found.verdict == "send":
            return None
        last = found.reasons[-1]
        held = found.reasons[0] if found.verdict == "later" else last
        why = Why(now_ms, held.code, " ".join(each.text for each in found.reasons))
        if found.verdict == "later" and found.at_ms is not None:
            return Later(found.at_ms, why)
        return Never("expired" if last.code == "deadline_passed" else "skipped", why)

    def _true(self, message: Message, now_ms: int) -> Later | Never | None:
        """What no longer holds is said anew; where that cannot be, it is not said."""
        engine = self._engine
        text = untrue(engine, rendered_of(engine, message), now_ms)
        if not text:
            return None
        if message.edited_by and not message.words:  # a person's whole text is not replaced by ours
            said = f"{text} {message.edited_by} wrote it: it is not written anew."
            return Never("skipped", Why(now_ms, "claim.changed", said))
        try:
            again = self._composer.again(message)
        except GermaneError as error:
            return Never("skipped", Why(now_ms, error.code, f"{text} {error.message}"))
        data, digest = outbox.packed(again)
        why = Why(now_ms, "claim.changed", f"{text} It was written anew.")
        made = [engine.decision(each) for each in message.credited]
        amounts = amounts_of(again.claims, [each for each in made if each is not None])
        changed = replace(message, digest=digest, content_version=again.version, amounts=amounts)
        engine.put_moves([Rewritten(changed, data, why)])
        after = engine.moving.message(engine.tenant, message.message_id)
        if after is not None and after.status == "approval":  # what was approved is another text
            return Never("approval", why)
        return Later(now_ms, why)


def standing(engine: Engine, message: Message, now_ms: int) -> Later | Never | None:
    """Whether its campaign lets it out; ``None``: it does."""
    campaign = engine.library.campaigns.get(message.campaign)
    if campaign is None:
        return None  # a message of its own: nobody's campaign
    if campaign.status == "paused":
        return Later(
            now_ms + PAUSED_S * 1000, Why(now_ms, "campaign.paused", "Its campaign is paused.")
        )
    if campaign.status != "live":
        return Never(
            "skipped", Why(now_ms, f"campaign.{campaign.status}", "Its campaign is not live.")
        )
    return None


def untrue(engine: Engine, rendered: Rendered, now_ms: int) -> str:
    """What a text claims and does not hold any more, as a sentence; empty: all of it holds."""
    broken = check_claims(rendered.claims, engine.catalogue, engine.settings, now_ms)
    return broken[0].text if broken else ""
