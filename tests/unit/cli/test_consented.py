"""What somebody agreed to or opted out of: at the top of their page, and a yes that is over is no plain no."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from germane.cli.consented import opted_out, state
from germane.domain.purposes import PURPOSES
from tests.unit.cli.test_rights import place, typed

__all__ = ["place"]
AT, END = "2024-01-02T00:00:00.000Z", "2025-03-04T00:00:00.000Z"


def said(how: str, at: str | None = AT, end: str | None = None) -> dict[str, Any]:
    """A word to a purpose."""
    return {"state": how, "at": at, "expiresAt": end}


@pytest.mark.parametrize(
    ("word", "text"),
    [
        (said("granted"), "yes on 2024-01-02"),
        (said("granted", end=END), "yes on 2024-01-02, until 2025-03-04"),
        (said("withdrawn"), "no on 2024-01-02"),
        (said("withdrawn", at=None), "no"),
        (said("expired", end=END), "expired on 2025-03-04"),
    ],
)
def test_how_a_word_stands(word: dict[str, Any], text: str) -> None:
    assert state(word) == text


@pytest.mark.parametrize(
    ("states", "begins"),
    [
        ({}, "Has not agreed to personalisation, and the law asks first:"),
        ({"personalisation": said("withdrawn")}, "Opted out of personalisation on 2024-01-02:"),
        (dict.fromkeys(PURPOSES, said("withdrawn")), "Opted out of everything on 2024-01-02:"),
        (
            dict.fromkeys(PURPOSES, said("withdrawn")) | {"email_marketing": said("granted")},
            "Opted out of personalisation on 2024-01-02:",
        ),
        (
            {"personalisation": said("expired", end=END)},
            "The yes to personalisation expired on 2025-03-04:",
        ),
    ],
    ids=["by law", "of one", "of all", "of all but one", "over"],
)
def test_why_there_is_no_personalisation(states: dict[str, Any], begins: str) -> None:
    assert opted_out(states).startswith(begins)


def test_an_opt_out_comes_first(place: Path) -> None:
    """In the page of a person: before anything that is known."""
    assert "Opted out" not in typed(place, "person", "ann")
    typed(place, "consent", "ann", "personalisation", "withdraw")
    first, second, third, readiness, *_ = typed(place, "person", "ann").splitlines()
    assert first.startswith("u:ann")
    assert second.startswith("Opted out of personalisation on ")
    assert third.startswith("Consent: personalisation: no on ")
    assert readiness.endswith("Not used: there is no personalisation for them.")


def test_a_yes_that_is_over_says_so(place: Path) -> None:
    """Both in the page of a person and in that of their consent."""
    row = "ann,email_marketing,yes,2022-01-01,2023-01-01\nann,offline_linking,yes,2022-01-01,\n"
    (place / "c.csv").write_text("person,purpose,granted,at,until\n" + row)
    typed(place, "import", "consents", str(place / "c.csv"))
    meant = "Consent: email_marketing: expired on 2023-01-01; offline_linking: yes on 2022-01-01."
    assert meant in typed(place, "person", "ann").splitlines()
    told = [each.split() for each in typed(place, "consent", "ann").splitlines()]
    over = ["no", "email_marketing", "by", "default", "their", "yes", "expired", "on", "2023-01-01"]
    assert over in told
    assert ["yes", "offline_linking"] in told
    assert ["no", "sensitive_data", "by", "default"] in told
