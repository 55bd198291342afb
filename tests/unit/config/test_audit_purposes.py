"""A purpose that is misspelt is named wherever it is written, with the one that was most likely meant."""

from __future__ import annotations

from typing import Any

import pytest

from germane.config.audit_purposes import audit_purposes
from germane.domain.campaign import Campaign, Enter
from germane.domain.purposes import TRANSACTIONAL
from germane.domain.settings import PrivacySpec


def found(
    *campaigns: Campaign,
    titled: tuple[str, ...] = (),
    answers: dict[str, int] | None = None,
    **spec: Any,
) -> list[tuple[str, str, str]]:
    """Level, text and remedy of all findings."""
    told = audit_purposes(PrivacySpec(**spec), titled, campaigns, answers or {})
    return [(each.level, each.text, each.remedy) for each in told]


def a_campaign(purpose: str = "email_marketing", when: str = "", name: str = "spring") -> Campaign:
    return Campaign(name, purpose=purpose, enter=Enter(event="x", when=when))


@pytest.mark.parametrize(
    "spec",
    [
        {"gpc": ("cross_site_traking",)},
        {"categories": {"Ads": ("cross_site_tracking", "cross_site_traking")}},
    ],
)
def test_what_a_banner_or_a_browser_says_no_to(spec: dict[str, Any]) -> None:
    """A slip is an error: people say no, and nothing stops."""
    ((level, text, remedy),) = found(**spec)
    assert level == "error"
    assert "'cross_site_traking', which nothing has: a no to it stops nothing" in text
    assert text.startswith("privacy.gpc" if "gpc" in spec else "privacy.categories.Ads")
    assert "Did you mean 'cross_site_tracking'?" in remedy
    assert "Declared: cross_channel_advertising, cross_site_tracking, email_marketing" in remedy


def test_a_purpose_of_its_own_is_declared_by_a_campaign_or_a_title() -> None:
    """What is declared by neither is a warning: it may come later."""
    spec = {"categories": {"Own": ("letter",)}}
    ((level, _, remedy),) = found(**spec)
    assert (level, remedy[:40]) == ("warning", "Give it a title under [links.purposes]: ")
    assert found(titled=("letter",), **spec) == []
    assert found(a_campaign("letter"), **spec) == []


def test_a_campaign_that_nobody_may_have_agreed_to() -> None:
    """Its purpose is much like another one; with a title, it is meant."""
    for slip, meant in (
        ("email_marketting", "email_marketing"),
        ("transactionnal", TRANSACTIONAL),
        ("personalization", "personalisation"),
    ):
        ((level, text, remedy),) = found(a_campaign(slip))
        assert (level, f"campaigns/spring: its purpose is {slip!r}" in text) == ("warning", True)
        assert f"Did you mean {meant!r}?" in remedy
        assert found(a_campaign(slip), titled=(slip,), answers={slip: 2})[1:] == []
    for own in ("email_offers", "marketing", "letter", TRANSACTIONAL, "email_marketing"):
        assert found(a_campaign(own)) == []
    two = (a_campaign("newsletter"), a_campaign("newsleter", name="summer"))
    assert len(found(*two)) == 2
    assert found(*two, titled=("newsletter", "newsleter")) == []
    assert len(found(a_campaign("newsleter"), a_campaign("newsleter"))) == 0


def test_a_title_for_what_no_campaign_has() -> None:
    ((_, text, remedy),) = found(a_campaign("newsletter"), titled=("newsleter",))[:1]
    assert "a title for 'newsleter', which no campaign has" in text
    assert "Did you mean 'newsletter'?" in remedy
    assert found(titled=("letter",)) == []


def test_conditions_on_consent() -> None:
    """A name that nothing has is never true."""
    for when in ("profile.consent.email_marketng", 'profile.consent["email_marketng"] == true'):
        ((level, text, remedy),) = found(a_campaign(when=when))
        assert level == "warning"
        assert "enter.when asks for the consent 'email_marketng', which nothing has" in text
        assert "Did you mean 'email_marketing'?" in remedy
    assert found(a_campaign(when="profile.consent.personalisation")) == []


def test_what_people_said_to_a_purpose_that_nothing_has() -> None:
    """Wherever it came from: the ledger knows. What was erased has no purpose any more."""
    answers = {"newsleter": 1_200, "email_marketing": 5, "": 3}
    ((level, text, remedy),) = found(a_campaign("newsletter"), answers=answers)
    assert (level, "'newsleter', which nothing has: 1,200." in text) == ("warning", True)
    assert "Did you mean 'newsletter'?" in remedy
