"""Approvals that a campaign demands and that nobody could give, found out before anybody waits for them."""

from __future__ import annotations

from collections.abc import Iterable

from germane.app.demanding import policies_under
from germane.app.engine import Engine
from germane.deliver.approvable import lacking
from germane.domain.campaign import Campaign


def unmeetable(
    engine: Engine, campaign: Campaign, *, amounts: bool = True
) -> list[tuple[str, str]]:
    """What is missing, each with its remedy, by the operators that there are now. ``amounts``: also what is
    asked above an amount alone; messages below it go out all the same."""
    operators = engine.moving.approvals.operators(engine.tenant)
    whole = [each.content for each in campaign.steps]
    found = []
    for step in campaign.steps:
        channel = campaign.channel_of(step)
        for policy in policies_under(engine.settings, campaign, campaign.purpose, channel):
            if policy.over is not None and not amounts:
                continue
            said = whole if policy.of == "campaign" else [step.content]
            found.append(lacking(policy, operators, _authors(engine, campaign, said)))
    return list(dict.fromkeys(each for each in found if each is not None))


def _authors(engine: Engine, campaign: Campaign, contents: Iterable[str]) -> set[str]:
    """Whose work it is, in this form of the campaign, which need not be the one that is known."""
    known = [engine.library.contents.get(each) for each in contents]
    names = [(each.author, each.put_by) for each in (campaign, *known) if each is not None]
    return {each for pair in names for each in pair if each}
