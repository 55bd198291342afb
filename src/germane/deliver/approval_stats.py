"""What became of approvals, by campaign: how many, how fast, and why people said no."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from statistics import median

import msgspec

from germane.domain.approval import Approval

REASONS = 20
"""Reasons that are told, the most frequent ones."""
MS_PER_HOUR = 3_600_000


class CampaignApprovals(msgspec.Struct, frozen=True):
    """Of one campaign."""

    campaign: str
    statuses: dict[str, int]
    reasons: list[tuple[str, int]]
    """Why they were rejected, the most frequent first; letters' case and spaces do not count."""
    edited: int
    """Changed by a person at least once."""
    hours: float | None
    """From asking to deciding, the median; ``None``: nothing was decided."""


def by_campaign(approvals: Iterable[Approval]) -> list[CampaignApprovals]:
    """Of each campaign, in order of its name."""
    found: dict[str, list[Approval]] = {}
    for each in approvals:
        found.setdefault(each.campaign, []).append(each)
    return [_of(name, those) for name, those in sorted(found.items())]


def _of(campaign: str, those: list[Approval]) -> CampaignApprovals:
    said: dict[str, str] = {}
    reasons: Counter[str] = Counter()
    for each in those:
        for verdict in each.verdicts:
            if each.status == "rejected" and verdict.answer == "reject":
                plain = " ".join(verdict.reason.casefold().split())
                said.setdefault(plain, verdict.reason)
                reasons[plain] += 1
    decided = [
        each for each in those if each.decided_ms and each.status in ("approved", "rejected")
    ]
    waits = [(each.decided_ms - each.asked_ms) / MS_PER_HOUR for each in decided]
    return CampaignApprovals(
        campaign,
        dict(sorted(Counter(each.status for each in those).items())),
        [(said[plain], count) for plain, count in reasons.most_common(REASONS)],
        sum(bool(each.editor) for each in those),
        round(median(waits), 2) if waits else None,
    )
