"""Findings in plain words."""

from __future__ import annotations

from datetime import UTC, datetime

from germane.app.backtest.findings import Answer, Findings, Step
from germane.measure.bootstrap import Estimate

NAMES = {
    "personal": "personal",
    "best-sellers": "best-sellers of all time",
    "recent best-sellers (1 d)": "recent best-sellers (half-life 1 day)",
    "recent best-sellers (7 d)": "recent best-sellers (half-life 7 days)",
    "recent best-sellers (28 d)": "recent best-sellers (half-life 28 days)",
    "most often chosen": "what each chose most often",
    "often chosen lately": "what each chose often lately",
    "goes with the last": "what goes with the last choice",
    "repeat": "what the person had before",
    "covisitation": "goes with what they had",
    "sequence": "what others chose next",
    "linear": "fits all that they had",
    "interests": "categories they like",
    "trending": "popular in days",
    "bestsellers": "popular in months",
    "declared": "what they declared",
    "new": "new in the catalogue",
}


def name(of: str) -> str:
    """A list or a source, in words."""
    plain = of.removeprefix("alone/")
    return NAMES.get(plain, plain)


def hundred(share: float) -> str:
    """A share as so many in a hundred; below 3 with one decimal."""
    value = 100 * share
    return f"{value:.1f}" if abs(value) < 3 else f"{value:.0f}"


def percent(each: Estimate) -> str:
    """Value with interval."""
    return f"{each.value:.1%} ({each.low:.1%} to {each.high:.1%})"


def number(each: Estimate, digits: int = 4) -> str:
    """Value with interval."""
    return f"{each.value:.{digits}f} ({each.low:.{digits}f} to {each.high:.{digits}f})"


def day(at_ms: int) -> str:
    """A day."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%d %b %Y").lstrip("0")


def plain_answer(findings: Findings) -> str:
    """The answer in one sentence (or two)."""
    answer = findings.answer
    personal, broadcast = hundred(answer.personal.value), hundred(answer.broadcast.value)
    gain = answer.difference
    between = f"{_signed(gain.low)} to {_signed(gain.high)} in 100, 95 % interval"
    said = (
        f"A personal list of ten would have held something that people then chose {personal} times in "
        f"100; the best list for everyone {broadcast} times."
    )
    what = "it is more than a trifle" if gain.low > 0 else "there is a difference"
    tail = {
        "yes": f"The difference is clear ({between}).",
        "no": f"Personalisation would not beat broadcast here (difference {between}).",
        "unclear": f"Whether {what} is not clear ({between}).",
        "too little": "That is too little data to say whether there is a difference.",
    }
    return f"{said} {tail[answer.verdict]}"


def _signed(share: float) -> str:
    value = 100 * share
    return f"{value:+.1f}".replace("-", "−")


def against_rule(answer: Answer) -> str:
    """Whether a simple rule does as well."""
    rule, gain = name(answer.rule_name), answer.rule_difference
    had = hundred(answer.rule.value)
    if answer.rule.value <= answer.broadcast.value:
        tail = "no more than the best list for everyone"
    elif gain.above:
        tail = "clearly less than the whole engine"
    elif gain.below:
        tail = "clearly more than the engine does: use that"
    else:
        tail = "not clearly less than the engine: it may be enough"
    return f"The best simple rule ({rule}) reaches {had} in 100, {tail}."


def for_whom(findings: Findings) -> str:
    """The readiness curve in a sentence."""
    steps, crossing = findings.steps, findings.crossing
    if not any(step.difference.enough for step in steps):
        return "There are too few people in every group to tell them apart."
    if crossing is None:
        last = [step for step in steps if step.difference.enough][-1]
        if findings.answer.verdict == "yes":
            return (
                f"Taken all together it pays, but for the people with most history ({last.label} interactions "
                "before) the lead is not clear."
            )
        return "For no group are personal lists clearly better, however much is known of people."
    if crossing == 0:
        return "Personal lists are clearly better from the very first visit on."
    few = "interaction" if crossing == 1 else "interactions"
    behind = [step.label for step in steps if step.difference.below]
    said = f"Personal lists are clearly better from {crossing} earlier {few} on"
    if behind:
        return f"{said}. At {', '.join(behind)} the best list for everyone is clearly better: show that one."
    return f"{said}; with fewer, the best list for everyone is as good or the lead is not clear."


def step_note(step: Step) -> str:
    """One step's difference in words."""
    if not step.difference.enough:
        return "too few people"
    if step.difference.above:
        return "personal"
    return "broadcast" if step.difference.below else "not clear"


def quota_acts(findings: Findings) -> bool:
    """Whether a quota puts more of new categories into lists at all."""
    found = {round(100 * each.quota): each.new_kind for each in findings.quotas}
    return found.get(15, 0.0) > found.get(0, 0.0) + 0.005


def of_quota(findings: Findings) -> str:
    """The price in a sentence."""
    found = {round(100 * each.quota): each for each in findings.quotas}
    plain, shipped = found.get(0), found.get(15)
    if plain is None or shipped is None or not plain.ndcg.n:
        return "It was not measured: nobody was asked with a quota."
    if not quota_acts(findings):
        return (
            "The quota could not do anything here: there are no related categories that people have not met "
            "(or no categories at all)."
        )
    price = shipped.price
    told = (
        f"At 15 % (the default), {shipped.new_kind:.0%} of the places go to categories that are new to the "
        f"person, {plain.new_kind:.0%} without a quota. "
    )
    if not price.enough:
        return told + "Too few people were asked to say what that costs."
    if price.above:
        share = price.value / max(plain.ndcg.value, 1e-9)
        return told + f"That costs {share:.0%} of the accuracy (NDCG@10)."
    return told + "A cost in accuracy cannot be told from noise."
