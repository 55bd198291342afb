"""A campaign that was read is written as its file would have it, and reads as the same again."""

from __future__ import annotations

import os
from importlib.resources import as_file, files
from typing import Any

import pytest

from germane.config import load_text
from germane.config.campaign_written import as_table
from germane.config.campaigns import load_campaigns, read_campaign
from germane.config.contents import from_json, load_folder, to_json

SETTINGS = load_text(
    """
[signals.view]
event = "Product Viewed"
item = "properties.product_id"
""",
    {},
).settings
LONG: dict[str, Any] = {
    "title": "All of it",
    "purpose": "news",
    "class": "never_lost",
    "priority": "low",
    "reentry": "after 45d",
    "holdout_share": 0.1,
    "enter": {"event": "Product Viewed", "when": "event.name != ''", "count": 3, "within": "36h"},
    "steps": [
        {"name": "one", "content": "a", "wait": {"for": "90m", "until_local": "09:00"}},
        {
            "name": "two",
            "content": "a",
            "channel": "inapp",
            "when": "profile.evidence >= 1.0",
            "wait": {"event": "Email Opened", "for": "2d", "otherwise": "go_on"},
        },
    ],
    "exit": {"when": "profile.evidence > 50.0"},
    "goal": {"event": "Order Completed"},
    "send": {
        "best_hour": True,
        "window": "08:00-20:00",
        "days": ["mon", "fri"],
        "deadline": "3d",
        "ignore_caps": True,
        "least_chance": 0.5,
    },
}
AUDIENCE: dict[str, Any] = {
    "content": "a",
    "purpose": "transactional",
    "enter": {"audience": "profile.evidence >= 1.0", "at": "2026-12-01T09:00"},
}
APPROVED: dict[str, Any] = {
    "content": "a",
    "enter": {"event": "Product Viewed"},
    "approval": {"quorum": 2, "of": "campaign"},
}
EACH: dict[str, Any] = {"content": "a", "enter": {"event": "Product Viewed"}, "approval": {}}
MONTHLY: dict[str, Any] = {
    "content": "a",
    "enter": {"event": "Product Viewed", "count": 500, "cycle": "month", "fresh": "2h"},
}


@pytest.mark.parametrize("table", [LONG, AUDIENCE, MONTHLY, APPROVED, EACH])
def test_there_and_back(table: dict[str, Any]) -> None:
    """The same campaign, the same version; and writing it again changes nothing."""
    made = read_campaign("sale", table, SETTINGS).campaign
    again = read_campaign("sale", as_table(made), SETTINGS).campaign
    assert again == made
    assert again.version == made.version
    assert as_table(again) == as_table(made)


def test_a_default_that_is_written_out_changes_no_version() -> None:
    """What is said and what is meant without saying are one campaign."""
    brief = {"content": "a", "enter": {"event": "Product Viewed"}}
    long = {**brief, "channel": "email", "purpose": "email_marketing", "priority": "normal"}
    one, two = (read_campaign("sale", each, SETTINGS).campaign for each in (brief, long))
    assert one.version == two.version
    other = read_campaign("sale", {**brief, "priority": "high"}, SETTINGS).campaign
    assert other.version != one.version


def test_the_recipe() -> None:
    """Its campaigns and its content come back as they were."""
    with as_file(files("germane.recipes").joinpath("shop")) as folder:
        settings = load_text((folder / "germane.toml").read_text("utf-8"), os.environ).settings
        campaigns = load_campaigns(folder / "campaigns", settings)
        contents, problems = load_folder(folder / "content")
    assert not problems
    assert len(campaigns) == len(contents) == 3
    for name, made in campaigns.items():
        again = read_campaign(name, as_table(made.campaign), settings).campaign
        assert again.version == made.campaign.version
    for each in contents:
        assert from_json(to_json(each), each.content_id).version == each.version
