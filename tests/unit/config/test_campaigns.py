"""Campaigns as files: what is right, what is wrong, and what the audit says."""

from __future__ import annotations

import json
import random
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from germane.config import audit_campaigns, audit_delivery, load_campaigns, load_text, read_campaign
from germane.domain.campaign import canonical
from germane.domain.errors import BadCampaign, ConfigInvalid
from germane.domain.settings import AttributeSpec, CapSpec, DeliverySpec, TraitSpec
from tests.unit.deliver.life import SETTINGS

WHOLE = """
title = "Back in stock"
channel = "email"
content = "back-in-stock"
purpose = "email_marketing"
class = "never_lost"
priority = "high"
status = "live"
reentry = "after 30d"
holdout_share = 0.1
[enter]
item = "price_drop"
drop = 0.1
event = "Product Added"
when = "item.price > 20"
count = 2
within = "30d"
per = "person+item"
fresh = "6h"
[wait]
for = "2h"
until_local = "09:00"
still = "own.count == 0"
[exit]
event = "Product Removed"
when = "event.properties.quantity == 0"
[goal]
event = "Order Completed"
[send]
best_hour = true
window = "08:00-20:00"
days = ["fri", "mon"]
deadline = "2d"
least_chance = 0.5
[approval]
quorum = 2
"""


def problems(text: str, name: str = "camp") -> dict[str, str]:
    """Key -> what is wrong and what to do."""
    with pytest.raises(BadCampaign) as caught:
        read_campaign(name, tomllib.loads(text), SETTINGS, file="campaigns/camp.toml")
    found = caught.value.details["errors"]
    assert all(each["key"].startswith("campaigns/camp.toml: ") for each in found)
    assert caught.value.message.count("\n") == len(found)
    return {each["key"].partition(": ")[2]: f"{each['problem']} {each['remedy']}" for each in found}


def test_everything_at_once() -> None:
    campaign = read_campaign("camp", tomllib.loads(WHOLE), SETTINGS).campaign
    assert campaign.delivery == "never_lost"
    assert campaign.enter.within_s == 30 * 86_400
    assert campaign.send.days == (0, 4)
    assert (campaign.reentry, campaign.reentry_s) == ("after", 30 * 86_400)
    assert campaign.steps[0].wait.for_s == 7200
    assert campaign.approval == {"quorum": 2}
    assert (campaign.leave.event, campaign.goal.event) == ("Product Removed", "Order Completed")


@pytest.mark.parametrize("purpose", ["Mein Zweck!", "Email", "", "1st", "x" * 65])
def test_a_purpose_that_nobody_could_agree_to(purpose: str) -> None:
    """It would send to nobody, for ever: consent to it is refused."""
    table = {**tomllib.loads(WHOLE), "purpose": purpose}
    with pytest.raises(BadCampaign) as refused:
        read_campaign("camp", table, SETTINGS)
    (wrong,) = refused.value.details["errors"]
    assert wrong["key"] == "camp: purpose"
    assert "small letters, digits and underscores" in wrong["remedy"]


def test_the_version_is_of_the_meaning() -> None:
    """The same as JSON, in another order, with defaults written out, dry or live; not with another word."""
    table = tomllib.loads(WHOLE)
    first = read_campaign("camp", table, SETTINGS).campaign
    draw = random.Random(1)

    def shuffled(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        pairs = list(value.items())
        draw.shuffle(pairs)
        return {name: shuffled(each) for name, each in pairs}

    other = json.loads(json.dumps(shuffled({**table, "status": "dry"})))
    other["wait"]["otherwise"] = "leave"
    second = read_campaign("camp", other, SETTINGS).campaign
    assert canonical(first) == canonical(second)
    assert first.version == second.version
    table["title"] = "Back again"
    assert read_campaign("camp", table, SETTINGS).campaign.version != first.version


def test_a_schedule_takes_people_again() -> None:
    text = 'content = "x"\n[enter]\nschedule = "0 7 * * mon"\n'
    campaign = read_campaign("camp", tomllib.loads(text), SETTINGS).campaign
    assert campaign.reentry == "always"
    assert campaign.status == "dry"


START = 'content = "x"\n[enter]\nevent = "A"\n'


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ('prority = "high"\n' + START, "prority", "'priority'"),
        ('webhook = "push"\n' + START, "webhook", 'channel = "webhook"'),
        (
            'channel = "webhook"\nwebhook = "a"\n[enter]\nevent = "A"\n[[steps]]\ncontent="x"\nwebhook="b"\n',
            "webhook",
            "names its own",
        ),
        (
            '[enter]\nevent = "A"\n[[steps]]\ncontent = "x"\nwebhook = "push"\n',
            "steps[0].webhook",
            'channel = "webhook"',
        ),
        ('window = "08:00-20:00"\n' + START, "window", "[send]"),
        (START + 'title = "x"\n', "enter.title", "top of the file"),
        ('priority = "urgent"\n' + START, "priority", "high, normal, low"),
        ('channel = "mail"\n' + START, "channel", "email"),
        ('reentry = "sometimes"\n' + START, "reentry", "never, always"),
        ('reentry = "after 30"\n' + START, "reentry", "duration"),
        ('content = "x"\n', "enter", "Nobody ever comes in"),
        (START + 'schedule = "* * * * *"\n', "enter", "event and schedule"),
        ('content = "x"\n[enter]\nschedule = "0 7 * * mun"\n', "enter.schedule", "day-of-week"),
        ('content = "x"\n[enter]\nschedule = "0 7 30 2 *"\n', "enter.schedule", "day-of-month"),
        ('content = "x"\n[enter]\nschedule = "0 0 7 * * *"\n', "enter.schedule", "five fields"),
        ('content = "x"\n[enter]\naudience = "true"\n', "enter.at", "missing"),
        (
            'content = "x"\n[enter]\naudience = "true"\nat = "noon"\n',
            "enter.at",
            "2026-12-01T09:00",
        ),
        (START + 'at = "2026-12-01T09:00"\n', "enter.at", "audience"),
        (START + 'count = 100\nwithin = "1d"\n', "enter.count", "cycle"),
        (START + 'within = "1d"\n', "enter.within", "One event"),
        (START + 'count = 5\ncycle = "account.billing"\n', "enter.cycle", "account.traits.NAME"),
        (START + 'count = 5\ncycle = "profile.traits.payd"\n', "enter.cycle", "'paid'"),
        (START + 'item = "back_in_stock"\n', "enter.per", "person+item"),
        ('content = "x"\n[enter]\nitem = "back_in_stock"\n', "enter.event", "which events"),
        (START + 'item = "back_in_stock"\nper = "person+item"\n', "enter.within", "30d"),
        (START + "drop = 0.1\n", "enter.drop", "price_drop"),
        (START + 'when = "profile.traits.roll == 1"\n', "enter.when", "role"),
        (START + '[wait]\nstill = "event.name == 1"\n', "wait.still", "no event"),
        (START + '[wait]\nuntil_local = "9"\n', "wait.until_local", "09:00"),
        (START + "[wait]\nfor = 3\n", "wait.for", "duration"),
        (START + '[wait]\nwhen = "true"\n', "wait.when", "event"),
        (START + '[wait]\nevent = "B"\nuntil_local = "09:00"\n', "wait.until_local", "window"),
        ('[enter]\nevent = "A"\n', "content", "It sends nothing"),
        (START + '[[steps]]\ncontent = "y"\n', "content", "[[steps]]"),
        (
            '[enter]\nevent = "A"\n[[steps]]\ncontent = "y"\n[[steps]]\ncontent = "y"\n',
            "steps[1].name",
            "Another",
        ),
        ('[enter]\nevent = "A"\n[[steps]]\nname = "y"\n', "steps[0].content", "missing"),
        (
            '[enter]\nevent = "A"\n[[steps]]\ncontent = "y"\nwhen = "1"\n',
            "steps[0].when",
            "true or false",
        ),
        (START + '[goal]\nwhen = "true"\n', "goal.event", "Which event"),
        (START + '[goal]\nevent = "A"\n', "goal.event", "nobody would stay"),
        (START + '[send]\ndays = ["Mon", "munday"]\n', "send.days", "'mon'"),
        (START + '[send]\nwindow = "20:00-20:00"\n', "send.window", "22:00-07:00"),
        ("approval = 3\n" + START, "approval", "[approval]"),
        ('steps = 3\n[enter]\nevent = "A"\n', "steps", "[[steps]]"),
    ],
)
def test_what_is_wrong_is_said_with_the_remedy(text: str, key: str, says: str) -> None:
    found = problems(text)
    assert key in found, found
    assert says in found[key], found[key]


def test_one_error_is_said_once() -> None:
    """A slip does not bring others with it."""
    assert list(problems(START.replace("event", "evnt"))) == ["enter.evnt"]
    assert list(problems('contnt = "x"\n[enter]\nevent = "A"\n')) == ["contnt"]


def test_a_folder(tmp_path: Path) -> None:
    """All errors of all files at once; nothing where there is no folder."""
    assert load_campaigns(tmp_path / "campaigns", SETTINGS) == {}
    (tmp_path / "one.toml").write_text(WHOLE)
    (tmp_path / "two.toml").write_text(START)
    assert sorted(load_campaigns(tmp_path, SETTINGS)) == ["one", "two"]
    (tmp_path / "two.toml").write_text("x = 1\n" + START)
    (tmp_path / "Three.toml").write_text(START)
    with pytest.raises(BadCampaign) as caught:
        load_campaigns(tmp_path, SETTINGS)
    keys = [each["key"] for each in caught.value.details["errors"]]
    assert keys == [f"{tmp_path}/Three.toml: name", f"{tmp_path}/two.toml: x"]
    (tmp_path / "torn.toml").write_text('content = "a')
    (tmp_path / "odd.toml").write_bytes(b"content = '\xff'")
    with pytest.raises(BadCampaign) as caught:
        load_campaigns(tmp_path, SETTINGS)
    assert len(caught.value.details["errors"]) == 4
    for said in ("two.toml: x", "torn.toml, line 1", "A text is not closed", "odd.toml"):
        assert said in caught.value.message, said


DELIVERY = """
[delivery]
quiet_hours = "21:00-08:00"
window = "09:00-18:00"
spread = "30m"
deadline = "1d"
zone = "Europe/Berlin"
[[delivery.caps]]
count = 2
per = "1d"
channel = "email"
calendar = true
[[delivery.caps]]
count = 5
per = "7d"
"""


def test_delivery() -> None:
    assert load_text(DELIVERY, {}).settings.delivery == DeliverySpec(
        (1260, 480), (540, 1080), "Europe/Berlin", 1800, 86_400, 0.05,
        (CapSpec(2, 86_400, "email", True), CapSpec(5, 604_800)),
    )  # fmt: skip
    assert load_text('[delivery]\nquiet_hours = "none"\n', {}).settings.delivery.quiet_hours is None
    assert load_text("", {}).settings.delivery == DeliverySpec()


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ('[delivery]\nquiet_hours = "late"\n', "delivery.quiet_hours", "22:00-07:00"),
        ('[delivery]\nzone = "Berlin"\n', "delivery.zone", "Europe/Berlin"),
        ("[delivery]\ncaps = 3\n", "delivery.caps", "[[delivery.caps]]"),
        ("[[delivery.caps]]\ncount = 3\n", "delivery.caps[0].per", "missing"),
        (
            '[[delivery.caps]]\ncount = 3\nper = "12h"\ncalendar = true\n',
            "delivery.caps[0].per",
            "1d",
        ),
        ('[delivery]\nquiet = "x"\n', "delivery.quiet", "quiet_hours"),
        ('[server]\nquiet_hours = "22:00-07:00"\n', "server.quiet_hours", "[delivery]"),
    ],
)
def test_delivery_errors(text: str, key: str, says: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        load_text(text, {})
    found = {
        each["key"]: f"{each['problem']} {each['remedy']}"
        for each in caught.value.details["errors"]
    }
    assert says in found[key]


def test_the_audit_of_delivery() -> None:
    assert all(each.level == "good" for each in audit_delivery(DeliverySpec()))
    closed = audit_delivery(DeliverySpec(window=(23 * 60, 60)))
    assert [each.level for each in closed if "Nothing can ever" in each.text] == ["error"]
    open_ = audit_delivery(DeliverySpec(quiet_hours=None, caps=(), exploration_share=0.0))
    assert sum(each.level == "warning" for each in open_) == 3
    idle = audit_delivery(DeliverySpec(caps=(CapSpec(1, 86_400), CapSpec(2, 3_600))))
    assert any("never the one that holds" in each.text for each in idle)


def test_the_audit_of_campaigns() -> None:
    text = (
        'content = "x"\nreentry = "always"\n[enter]\nevent = "Product Aded"\n'
        '[send]\nignore_caps = true\nwindow = "23:00-05:00"\n'
    )
    made = {"camp": read_campaign("camp", tomllib.loads(text), SETTINGS)}
    said = " ".join(f"{each.text} {each.remedy}" for each in audit_campaigns(made, SETTINGS))
    for part in (
        "never send",
        "no goal",
        "only caps bound",
        "keeps no cap",
        "'Product Added'",
        "1 message by email",
    ):
        assert part in said


def test_the_audit_of_times_that_never_come() -> None:
    text = 'content = "x"\n[enter]\naudience = "true"\nat = "2026-12-01T09:00"\n'
    made = {"camp": read_campaign("camp", tomllib.loads(text), SETTINGS)}
    at_ms = 1_796_115_600_000  # 2026-12-01T09:00Z

    def said(now_ms: int | None) -> list[str]:
        return [
            each.text for each in audit_campaigns(made, SETTINGS, now_ms) if "over" in each.text
        ]

    assert said(None) == said(at_ms + 35 * 3_600_000) == []
    assert len(said(at_ms + 37 * 3_600_000)) == 1


def test_a_date_alone_is_its_midnight() -> None:
    """It is taken, and what is no date is told so in words that hold of it."""
    text = 'content = "x"\n[enter]\naudience = "true"\nat = "{}"\n'
    made = read_campaign("camp", tomllib.loads(text.format("2026-12-01")), SETTINGS)
    assert made.campaign.enter.at == "2026-12-01"
    with pytest.raises(BadCampaign, match="It is no date of this century or the next") as caught:
        read_campaign("camp", tomllib.loads(text.format("tomorrow")), SETTINGS)
    assert "a date alone is its midnight" in str(caught.value)


def test_the_examples_of_the_how_to_work() -> None:
    """Every campaign that the page shows can be read, and the audit asks for goals only."""
    page = Path(__file__).parents[3] / "docs" / "how-to" / "campaigns.md"
    blocks = re.findall(r"```toml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 5
    tents = AttributeSpec("category", interest=True)
    billing = {"billing_day": TraitSpec("billing_day")}
    settings = replace(SETTINGS, attributes={"category": tents}, traits=SETTINGS.traits | billing)
    made = {
        f"c{n}": read_campaign(f"c{n}", tomllib.loads(each), settings)
        for n, each in enumerate(blocks)
    }
    warned = [each.text for each in audit_campaigns(made, settings) if each.level == "warning"]
    assert all("no goal" in each for each in warned), warned
