"""Every setting of a campaign, and of ``[delivery]``: they drive the reader and the reference."""

from __future__ import annotations

from germane.config.approval_tables import APPROVAL
from germane.config.fields import Field

DAY_S = 86_400
YEAR_S = 366 * DAY_S
CHANNELS = "email|inapp|webhook|crm"

CAMPAIGN = (
    Field("title", "text", "What people call it.", ""),
    Field("author", "text", "Operator who wrote it: they may not approve it.", ""),
    Field("channel", CHANNELS, "Where its messages go.", "email"),
    Field(
        "webhook",
        "text",
        "Of channel webhook: which of [channels.webhook.NAME]; empty: the only one there is.",
        "",
    ),
    Field("content", "text", "Content item of its one message; several messages are steps.", ""),
    Field(
        "purpose",
        "text",
        "Purpose of consent, in small letters, digits and _; of channel inapp it is personalisation if "
        "nothing is said. transactional needs none, and is neither capped nor muted.",
        "email_marketing",
    ),
    Field(
        "class",
        "never_twice|never_lost",
        "What becomes of a message whose sending was cut off.",
        "never_twice",
    ),
    Field(
        "priority",
        "high|normal|low",
        "A more urgent message may take the place of a less urgent one that waits.",
        "normal",
    ),
    Field(
        "status",
        "dry|live|paused|ended",
        "Only dry: how it stands is no part of a file; `germane campaign live`, pause, dry and end say it.",
        "dry",
    ),
    Field(
        "reentry",
        "text",
        'Whether somebody comes in again: never, always, or "after 30d" from the last time.',
        "never",
    ),
    Field(
        "holdout_share",
        "number",
        "Share of people who are held out, so that the effect can be measured.",
        0.0,
        low=0,
        high=0.5,
    ),
)
ENTER = (
    Field(
        "event",
        "text",
        "Event that counts: a track event, page:NAME, screen:NAME, identify or group.",
        "",
    ),
    Field("when", "text", "CEL that must hold of it (of a schedule: of the person).", ""),
    Field("count", "whole", "Which matching event it takes.", 1, low=1, high=1_000_000),
    Field("within", "duration", "All of them in so long.", "0s", low=0, high=2 * YEAR_S),
    Field(
        "cycle",
        "text",
        "Count anew each month, or from the day in a trait: account.traits.NAME, profile.traits.NAME.",
        "",
    ),
    Field("per", "person|account|person+item", "Whose events are counted together.", "person"),
    Field(
        "fresh",
        "duration",
        "What comes in later than this after it happened lets nobody in; nor does consent that comes later.",
        "1d",
        low=0,
        high=YEAR_S,
    ),
    Field(
        "item",
        "back_in_stock|price_drop",
        "Let those in whose events about an item are enough when it changes like this.",
        "",
    ),
    Field("drop", "number", "Of price_drop: least share taken off.", 0.0, low=0, high=1),
    Field("schedule", "text", 'Cron on the person\'s own clock: "0 7 * * mon".', ""),
    Field("audience", "text", "CEL: who gets it, once, at a time.", ""),
    Field(
        "at",
        "text",
        "When: 2026-12-01T09:00 on each person's clock (a date alone: its midnight); with an offset, one "
        "moment for all.",
        "",
    ),
)
WAIT = (
    Field("for", "duration", "So long; with event: at most so long.", "0s", low=0, high=YEAR_S),
    Field("until_local", "text", 'Then until a time of the person\'s day: "09:00".', ""),
    Field("event", "text", "Until this happens.", ""),
    Field("when", "text", "CEL that must hold of that event.", ""),
    Field("otherwise", "leave|go_on", "What to do if it does not come in time.", "leave"),
    Field("still", "text", "CEL that must hold when the wait is over; else they leave.", ""),
)
STEP = (
    Field("name", "text", "Name, unique in the campaign; the content's if nothing is said.", ""),
    Field("content", "text", "Content item.", required=True),
    Field("channel", CHANNELS, "Where it goes; the campaign's if nothing is said.", ""),
    Field("webhook", "text", "By which webhook; the campaign's if nothing is said.", ""),
    Field("when", "text", "CEL; where it does not hold the step is passed over.", ""),
)
LEAVE = (
    Field("event", "text", "Event that means it.", ""),
    Field("when", "text", "CEL that must hold (of the event, if one is named).", ""),
)
SEND = (
    Field("best_hour", "flag", "At the best open hour of the person's week.", False),
    Field("window", "text", 'Times of day, on the person\'s clock: "08:00-20:00".', ""),
    Field("days", "texts", 'Days of the week: ["mon", "tue"].', ()),
    Field(
        "deadline",
        "duration",
        "How long after it was due it is worth sending; [delivery] says it for all.",
        "0s",
        low=60,
        high=60 * DAY_S,
    ),
    Field("ignore_caps", "flag", "Keep no cap; it still counts for the others.", False),
    Field(
        "least_chance",
        "number",
        "Send nothing where the best open hour is worse than so many times the average hour.",
        0.0,
        low=0,
        high=10,
    ),
)
CAMPAIGN_TABLES: dict[str, tuple[Field, ...]] = {
    "campaign": CAMPAIGN,
    "enter": ENTER,
    "wait": WAIT,
    "steps": STEP,
    "exit": LEAVE,
    "goal": LEAVE,
    "send": SEND,
    "approval": APPROVAL,
}
"""For the reference documentation: table -> its settings; the first stands at the top of the file."""
DELIVERY = (
    Field(
        "quiet_hours",
        "text",
        'When nothing goes out, on the person\'s clock; "none": there are none.',
        "22:00-07:00",
    ),
    Field("window", "text", "Times of day for campaigns that name none.", ""),
    Field("zone", "text", "Time zone of people whose own is not known; empty: the project's.", ""),
    Field(
        "spread",
        "duration",
        "What is due for many at one moment is spread over this.",
        "15m",
        low=0,
        high=6 * 3600,
    ),
    Field(
        "deadline",
        "duration",
        "What could not go out by then is dropped, where its campaign says nothing.",
        "2d",
        low=60,
        high=60 * DAY_S,
    ),
    Field(
        "exploration_share",
        "number",
        "Of messages at their best hour: share at any open hour, to learn from.",
        0.05,
        low=0,
        high=0.5,
    ),
)
CAP = (
    Field("count", "whole", "At most so many messages to one person.", required=True, low=1, high=1000),
    Field(
        "per",
        "duration",
        "In any time of this length.",
        required=True,
        low=60,
        high=60 * DAY_S,
    ),
    Field("channel", CHANNELS, "Of one channel; empty: e-mail and webhooks together.", ""),
    Field(
        "calendar",
        "flag",
        "Count days on the person's calendar: per 1d is today, 7d today and six before.",
        False,
    ),
)  # fmt: skip
