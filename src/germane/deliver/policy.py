"""From a campaign and ``[delivery]`` to the rules of one message."""

from __future__ import annotations

from germane.deliver.caps import REACHING_OUT
from germane.domain.campaign import Campaign, Step
from germane.domain.plan import SendPolicy
from germane.domain.settings import DeliverySpec


def policy_of(campaign: Campaign, step: Step, delivery: DeliverySpec) -> SendPolicy:
    """The rules under which a step's message may go out.

    Channels that wait to be looked at (in-app, CRM) have no quiet hours, and no window but one that the
    campaign itself names: nobody is woken by them.
    """
    channel, send = campaign.channel_of(step), campaign.send
    reaches = channel in REACHING_OUT
    return SendPolicy(
        channel=channel,
        priority="transactional" if campaign.transactional else campaign.priority,
        window=send.window or (delivery.window if reaches else None),
        days=send.days,
        quiet=delivery.quiet_hours if reaches else None,
        caps=() if send.ignore_caps else delivery.caps,
        best_hour=send.best_hour,
        exploration_share=delivery.exploration_share if send.best_hour else 0.0,
        least_chance=send.least_chance,
        deadline_s=send.deadline_s or delivery.deadline_s,
        spread_s=delivery.spread_s if reaches else 0,
        shared_start=campaign.enter.kind != "event",
    )
