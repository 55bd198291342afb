"""The audit of purposes: one that is misspelt is one that nobody agrees to, and a no to it stops nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from germane.config.finding import Finding, Level
from germane.deliver.compiled import said
from germane.domain.campaign import Campaign
from germane.domain.expressions import nearest
from germane.domain.purposes import PURPOSES, TRANSACTIONAL
from germane.domain.settings import PrivacySpec
from germane.privacy.purposes import Purposes

LIKE = 0.9
"""A purpose of a project's own may be called as one likes; one that is so much like another is most likely a
slip."""
_ASKED = re.compile(
    r"""profile\.consent(?:\.([A-Za-z_]\w*)|\[\s*["']([^"']*)["']\s*\])""", re.ASCII
)


def audit_purposes(
    spec: PrivacySpec,
    titled: Collection[str],
    campaigns: Iterable[Campaign],
    answers: Mapping[str, int],
) -> list[Finding]:
    """Findings about the names of purposes, wherever one is written.

    Args:
        spec: With a banner's categories, and what the browser's signal means.
        titled: Those under ``[links.purposes]``.
        campaigns: From files, and those that were pushed.
        answers: Purpose -> statements in the ledger.
    """
    campaigns = list(campaigns)
    used = {each.purpose for each in campaigns}
    purposes = Purposes.of(spec, {*titled, *used})
    return [
        *_declared(spec, purposes),
        *_titled(titled, used, purposes),
        *audit_campaign_purposes(campaigns, spec, titled),
        *_answered(answers, purposes),
    ]


def audit_campaign_purposes(
    campaigns: Iterable[Campaign], spec: PrivacySpec, titled: Collection[str]
) -> list[Finding]:
    """Findings about what campaigns send for, and what their conditions ask of people's consent."""
    campaigns = list(campaigns)
    purposes = Purposes.of(spec, {*titled, *(each.purpose for each in campaigns)})
    found: list[Finding] = []
    for each in campaigns:
        found += of_campaign(each, titled, purposes)
    return list(dict.fromkeys(found))


def of_campaign(campaign: Campaign, titled: Collection[str], purposes: Purposes) -> list[Finding]:
    """Findings about one campaign, beside all ``purposes`` that there are."""
    return [*_sent_for(campaign, titled, purposes), *_asked_for(campaign, purposes)]


def _declared(spec: PrivacySpec, purposes: Purposes) -> Iterator[Finding]:
    """What a banner or the browser's signal speaks of: without an answer to it, nothing is stopped by it."""
    named = {"privacy.gpc": spec.gpc}
    named |= {f"privacy.categories.{name}": each for name, each in spec.categories.items()}
    for key, names in named.items():
        for name in names:
            if name in purposes.asked or name == TRANSACTIONAL:
                continue
            level: Level = "error" if nearest(name, purposes.asked, LIKE) else "warning"
            text = f"{key} names the purpose {name!r}, which nothing has: a no to it stops nothing."
            yield _finding(level, text, purposes.hint(name, nearest(name, purposes.asked)))


def _titled(titled: Collection[str], used: set[str], purposes: Purposes) -> Iterator[Finding]:
    """A title for what no campaign sends for, and that is much like what one does."""
    others = {*PURPOSES, *used}
    for name in titled:
        meant = nearest(name, others, LIKE) if name not in others else None
        if meant is not None:
            text = f"links.purposes has a title for {name!r}, which no campaign has."
            yield _finding("warning", text, f"Did you mean {meant!r}? {purposes.told}")


def _sent_for(campaign: Campaign, titled: Collection[str], purposes: Purposes) -> Iterator[Finding]:
    """A purpose of its own, without a title, that is much like another one."""
    name = campaign.purpose
    if name in (*PURPOSES, *titled, TRANSACTIONAL):
        return
    meant = nearest(name, {*purposes.asked, TRANSACTIONAL} - {name}, LIKE)
    if meant is not None:
        text = (
            f"campaigns/{campaign.name}: its purpose is {name!r}, which nobody may have agreed to."
        )
        yield _finding("warning", text, purposes.hint(name, meant))


def _asked_for(campaign: Campaign, purposes: Purposes) -> Iterator[Finding]:
    """Conditions on what was said to a purpose that nothing has: they are never true."""
    for place, text, _ in said(campaign):
        for found in _ASKED.finditer(text):
            name = found[1] or found[2]
            if name not in purposes.known:
                told = f"campaigns/{campaign.name}: {place} asks for the consent {name!r}, which nothing has."
                yield _finding("warning", told, purposes.hint(name, nearest(name, purposes.known)))


def _answered(answers: Mapping[str, int], purposes: Purposes) -> Iterator[Finding]:
    """What people said to a purpose that nothing has."""
    for name, count in sorted(answers.items()):
        if name and name not in purposes.known:
            text = f"The ledger has lines about the purpose {name!r}, which nothing has: {count:,}."
            yield _finding("warning", text, purposes.hint(name, nearest(name, purposes.known)))


def _finding(level: Level, text: str, remedy: str) -> Finding:
    return Finding("", "purposes", level, text, remedy)
