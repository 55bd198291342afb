"""Whom a schedule or an audience has not looked at: people it does not know, or knew as it was before."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from germane.app.engine import Engine
from germane.app.enrolling import key_of
from germane.domain.campaign import Campaign
from germane.domain.enrolment import Enrolment
from germane.domain.ledger import Entry
from germane.domain.moves import AnyMove, Invited, Ticked

_decode = msgspec.msgpack.Decoder(Enrolment).decode


class _Look(NamedTuple):
    """How far a campaign has looked over everybody."""

    form: tuple[str, str]
    """Its status and version. Of another one everybody is looked at again: who saw it dry may come in when it
    is live, and an edit may give it another time."""
    after: str = ""
    """The last person that was looked at."""
    done: bool = False


class Invitations:
    """Goes over all people that are durable, a page at a time. Those who come later are looked at as they
    come."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._looks: dict[str, _Look] = {}

    @property
    def busy(self) -> bool:
        """Whether somebody is still to be looked at."""
        return any(not self._look(each).done for each in self._running())

    def next(self, most: int) -> list[AnyMove]:
        """What is to be done about the next ``most`` people of a campaign that is not through yet."""
        for campaign in self._running():
            look = self._look(campaign)
            if not look.done:
                return self._page(campaign, look, most)
        return []

    def _running(self) -> list[Campaign]:
        """Campaigns that look at people by themselves."""
        return [
            each
            for each in self._engine.library.campaigns.values()
            if each.enter.kind in ("schedule", "audience") and each.status in ("live", "dry")
        ]

    def _look(self, campaign: Campaign) -> _Look:
        form = (campaign.status, campaign.version)
        known = self._looks.get(campaign.name)
        return known if known is not None and known.form == form else _Look(form)

    def _page(self, campaign: Campaign, look: _Look, most: int) -> list[AnyMove]:
        engine = self._engine
        page = engine.profiles(after=look.after, limit=most)
        after = page[-1].person if page else look.after
        self._looks[campaign.name] = _Look(look.form, after, len(page) < most)
        people = {key_of(campaign.name, each.person): each.person for each in page}
        engine.prepare(people.values())
        engine.entries.prepare(engine.tenant, "enrolment", people)
        moves: list[AnyMove] = []
        for key, person in people.items():
            found = engine.entries.get(engine.tenant, "enrolment", key)
            if found is None:
                moves.append(Invited(campaign.name, person, at_once=True))
            elif _behind(found, campaign):
                moves.append(Ticked(campaign.name, person))
        return moves


def _behind(entry: Entry, campaign: Campaign) -> bool:
    """Whether an enrolment is of the campaign as it was before."""
    state = _decode(entry.body)
    return state.version != campaign.version or (state.dry and campaign.status == "live")
