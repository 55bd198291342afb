"""The page says what was found, and nothing in it can run."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html import escape
from pathlib import Path

import pytest
from msgspec.structs import replace

from germane.app.backtest import Findings, Intake, backtest
from germane.app.backtest.advice import _newcomers
from germane.app.backtest.derived import settings_of, targets_of
from germane.app.backtest.findings import Answer, Step
from germane.app.backtest.plan import plan, surface_of
from germane.app.backtest.spool import Spool
from germane.cli.report import page, plain_answer, svg
from germane.cli.report.terms import ANCHOR, TERMS
from germane.cli.report.words import against_rule, for_whom, hundred
from germane.domain.settings import TrainingSpec
from germane.measure.bootstrap import Estimate
from germane.testing import choices

NASTY = "<script>alert(1)</script>\"'&"


@pytest.fixture(scope="module")
def found() -> Findings:
    """Of a few people with tastes."""
    with Spool() as spool:
        settings = settings_of(["Interaction"], orders=False, prices=False, items=[], traits=[])
        intake = Intake(settings, targets_of(settings), spool)
        for event in choices(taste=0.6, people=40, items=40, events=800):
            intake.event(event)
        training = TrainingSpec(enabled=False)
        what = plan(spool, intake.targets, training, learn_first=0.6, sample=0, already="auto")
        return backtest(intake, surface_of(settings, None, intake), what, derived=True)


def answering(found: Findings, **changes: object) -> Findings:
    return replace(found, answer=replace(found.answer, **changes))


def about(value: float, half: float = 0.01) -> Estimate:
    return Estimate(value, value - half, value + half, 1_000, 200)


def test_the_page_holds_the_findings(found: Findings) -> None:
    """The sentence, each list's figure, each check."""
    html = page(found, "orders.csv")
    assert plain_answer(found).split(";")[0] in html
    for row in found.lists:
        assert f"{row.ndcg.value:.4f} ({row.ndcg.low:.4f} to {row.ndcg.high:.4f})" in html
    for check in found.checks:
        assert f"<td>{check.value}</td>" in html
    assert "derived from the data" in html
    assert f"n = {found.sample.occasions:,}" in html


def test_nothing_in_it_can_run_or_be_fetched(found: Findings) -> None:
    """No script, no address of anything outside; what comes from files is escaped."""
    check = replace(found.checks[0], name=NASTY, value=NASTY, meaning=NASTY)
    sample = replace(found.sample, targets=(NASTY,))
    html = page(replace(found, checks=(check,), sample=sample), NASTY)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 5
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", html)
    assert "http" not in html.replace("http-equiv", "")
    assert "default-src 'none'" in html


def test_every_plot_has_its_table_and_its_words(found: Findings) -> None:
    """As many tables behind plots as plots; each plot is well formed, with title and description."""
    html = page(found, "x")
    plots = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    assert len(plots) == html.count("<details>") == 2  # no categories: a quota has nothing to draw
    for plot in plots:
        root = ET.fromstring(plot)
        assert root.get("role") == "img"
        assert [each.tag for each in list(root)[:2]] == ["title", "desc"]
        assert all(each.text for each in list(root)[:2])


def test_the_words_of_the_report_are_explained_in_it(found: Findings) -> None:
    """Each that not everyone knows, by the page itself; the top leads there."""
    html = page(replace(found, advice=()), "x")
    assert html.index(f'href="#{ANCHOR}"') < html.index("<h2>") < html.index(f'id="{ANCHOR}"')
    text = re.sub(r"<[^>]*>", " ", html[html.index("<body>") :])
    abbreviations = set(re.findall(r"\b[A-Z]{2,}\b", text))
    words = {
        "blend",
        "calibration",
        "candidate",
        "diversity quota",
        "hit",
        "interval",
        "part",
        "source",
    }
    assert {"NDCG", "MRR"} <= abbreviations
    assert abbreviations | words <= set(TERMS)
    for term, meaning in TERMS.items():
        assert f"<dt>{term}</dt><dd>{escape(meaning)}</dd>" in html
    assert list(TERMS) == sorted(TERMS, key=str.lower)


def test_the_glossary_has_the_words_of_the_report() -> None:
    """And the more that there is to say."""
    glossary = Path(__file__).parents[4] / "docs" / "reference" / "glossary.md"
    has = re.findall(r"^\*\*(.+?)\*\* –", glossary.read_text("utf-8"), re.MULTILINE)
    assert set(TERMS) <= set(has)


@pytest.mark.parametrize(
    ("verdict", "badge", "sentence"),
    [
        ("yes", "Yes: it would pay", "The difference is clear"),
        ("no", "No: it would not pay here", "would not beat broadcast"),
        ("unclear", "Not clear yet", "is not clear"),
        ("too little", "Too little data", "too little data to say"),
    ],
)
def test_each_answer_has_its_words(
    found: Findings, verdict: str, badge: str, sentence: str
) -> None:
    """On top of the page."""
    html = page(answering(found, verdict=verdict), "x")
    assert badge in html
    assert sentence in html


def test_a_gain_that_is_clear_and_may_be_a_trifle_is_said_to_be_there(found: Findings) -> None:
    """What is not clear then is whether it matters."""
    gain = Estimate(0.009, 0.001, 0.017, 1_000, 100)
    said = plain_answer(answering(found, verdict="unclear", difference=gain))
    assert "Whether it is more than a trifle is not clear (+0.1 to +1.7 in 100" in said


@pytest.mark.parametrize(
    ("rule", "gain", "says"),
    [
        (0.05, about(0.2), "no more than the best list for everyone"),
        (0.25, about(0.05), "clearly less"),
        (0.35, about(-0.05), "use that"),
        (0.30, about(0.0), "may be enough"),
    ],
)
def test_a_simple_rule_that_does_as_well_is_named(rule: float, gain: Estimate, says: str) -> None:
    """So that nobody buys an engine for what one line does."""
    answer = Answer(
        "yes",
        about(0.3),
        about(0.1),
        about(0.2),
        "best-sellers",
        about(rule),
        "most often chosen",
        gain,
    )
    assert says in against_rule(answer)


def test_stopped_by_hand_is_said_on_top(found: Findings) -> None:
    """With how far it came."""
    sample = replace(found.sample, stopped_ms=found.sample.last_ms, events_done=7)
    html = page(replace(found, sample=sample), "x")
    assert "Stopped by hand" in html
    assert "7 of 800 events" in html


def test_for_whom_says_where_it_begins(found: Findings) -> None:
    """From the first visit, from some number on, or for nobody."""
    assert "very first visit" in for_whom(replace(found, crossing=0))
    assert "from 5 earlier interactions" in for_whom(replace(found, crossing=5))
    nobody = answering(replace(found, crossing=None), verdict="no")
    assert "For no group" in for_whom(nobody)


def test_a_plot_draws_what_it_is_given() -> None:
    """Twice the value is twice the height; a gap is left out; below 0 goes to the left."""
    one, two = svg.Point(0.1, 0.1, 0.1), svg.Point(0.2, 0.2, 0.2)
    plot = svg.lines(
        "t", "d", ["a", "b", "c"], [svg.Series("s", "a", [one, None, two])], x="x", y="y"
    )
    circles = [each for each in ET.fromstring(plot).iter("circle") if each.get("r") == "5"][:2]
    base = max(float(each.get("y1") or 0) for each in ET.fromstring(plot).iter("line"))
    heights = [base - float(each.get("cy") or 0) for each in circles]
    assert heights[1] == pytest.approx(2 * heights[0], rel=0.01)
    bars = svg.bars(
        "t",
        "d",
        [svg.Bar("up", two, "+"), svg.Bar("down", svg.Point(-0.2, -0.2, -0.2), "-")],
        x="x",
    )
    up, down = list(ET.fromstring(bars).iter("rect"))
    assert float(up.get("width") or 0) == pytest.approx(float(down.get("width") or 0), abs=0.2)
    assert float(down.get("x") or 0) < float(up.get("x") or 0)


def test_shares_in_words() -> None:
    """Small ones keep a decimal."""
    assert [hundred(each) for each in (0.0123, 0.314, 1.0)] == ["1.2", "31", "100"]


def test_where_broadcast_is_better_the_page_says_so(found: Findings) -> None:
    """Clearly behind at first: no talk of "as good"."""
    first = replace(found.steps[0], label="0", earlier_min=0, difference=about(-0.1))
    later = replace(found.steps[-1], earlier_min=5, difference=about(0.1))
    said = for_whom(replace(found, steps=(first, later), crossing=5))
    assert "from 5 earlier interactions on" in said
    assert "At 0 the best list for everyone is clearly better" in said
    told = advice_for((first, later))
    assert "0 interactions" in told[0]


def advice_for(steps: tuple[Step, ...]) -> list[str]:
    return [each.title for each in _newcomers(steps)]
