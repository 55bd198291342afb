"""Every setting of a policy of approval."""

from __future__ import annotations

from germane.config.fields import Field

DAY_S = 86_400
APPROVAL = (
    Field(
        "of",
        "each|campaign",
        "each: every single message. campaign: the campaign with its contents, once for each version.",
        "each",
    ),
    Field(
        "approvers",
        "texts",
        "Names of operators, or role:NAME; empty: role:approver and role:admin.",
        (),
    ),
    Field("quorum", "whole", "How many different people must approve.", 1, low=1, high=10),
    Field(
        "four_eyes",
        "flag",
        "Who wrote it, asked for it or changed it last may not approve it.",
        True,
    ),
    Field(
        "amount",
        "text",
        "What over and limits are about: price, discount, expected, or an attribute of the item.",
        "",
    ),
    Field(
        "over",
        "number",
        "Demanded only where the amount is above it, or not known; without it, always.",
        low=0,
        high=1e12,
    ),
    Field(
        "limits",
        "texts",
        'Up to which amount a role may approve: "approver=500". Roles that are not named may none.',
        (),
    ),
    Field(
        "expires_after",
        "duration",
        "After so long without an answer it is too late.",
        "7d",
        low=60,
        high=90 * DAY_S,
    ),
    Field(
        "remind_after",
        "duration",
        "So often the approvers are reminded; 0s: never. Unsaid: at most half of expires_after.",
        "1d",
        low=0,
        high=90 * DAY_S,
    ),
    Field(
        "remind_by",
        "text",
        "Name of the webhook ([channels.webhook.NAME]) that gets reminders; empty: the log alone.",
        "",
    ),
    Field(
        "sample_over",
        "whole",
        "Of more than so many that are approved together, some must have been opened.",
        10,
        low=1,
        high=10_000,
    ),
    Field("sample", "number", "Which share of them; at least one.", 0.1, low=0, high=1),
)
