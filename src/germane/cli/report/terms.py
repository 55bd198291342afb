"""What the words of the report mean, for those who do not know them (docs: the glossary has them all)."""

from __future__ import annotations

from html import escape

from germane.cli.report.html import section

ANCHOR = "words"
TERMS = {
    "best list for everyone": (
        "one list that all people get, also called broadcast: the best-sellers, of all time or "
        "lately, whichever did best here."
    ),
    "blend": (
        "all sources together: what each of them says of an item is weighed into one score, and the "
        "list is made by it."
    ),
    "calibration": (
        "whether what was expected comes true. Where the blend expected 10 %, about 10 % should be "
        "found."
    ),
    "candidate": "an item that at least one source proposed. Only candidates can get into a list.",
    "coverage": "the share of the catalogue that anybody was shown at all.",
    "diversity quota": (
        "the share of places that are kept for categories that are related to what a person likes, "
        "and new to them."
    ),
    "half-life": (
        "the time after which a choice counts half. The shorter, the more a list is of what is new."
    ),
    "hit": (
        "a list that held at least one of the things that were then chosen; hit@10: among its first "
        "ten."
    ),
    "holdout": (
        "people who always get the list for everyone after launch, so that the gain can be measured."
    ),
    "interaction": "one thing that a person did with one item: looked at it, bought it, rated it.",
    "interval": (
        "in brackets, or as thin lines: where the true figure lies, as far as so much data can tell. "
        "A 95 % interval misses it about once in 20 times. A difference is clear if its interval does"
        " not hold 0."
    ),
    "MRR": (
        "mean reciprocal rank: how far up the first thing stands that was then chosen. 1: always "
        "first; 0.5: second; 0: never in the list. MRR@10 looks at the first ten places."
    ),
    "n": "how many times something was measured.",
    "NDCG": (
        "normalised discounted cumulative gain: how well a list is ordered, from 0 to 1. What was "
        "then chosen counts 1 in the first place, 0.63 in the second, 0.29 in the tenth; the sum is "
        "divided by that of the best possible order. NDCG@10 looks at the first ten places. It is "
        "what this report calls accuracy."
    ),
    "paired": "both lists were asked for at the same times, for the same people.",
    "part": (
        "one source alone, or one simple rule. A blend that is worse than one of its parts does harm."
    ),
    "personal list": "what the whole engine shows to one person.",
    "simple rule": "a list that needs no engine, such as what each person chose most often.",
    "source": "one way to propose items, such as what a person had before, or what is popular.",
    "tree": (
        "a few questions, one after the other, with a number at each end; what many trees say is "
        "added to the blend's score."
    ),
}


def terms() -> str:
    """The words, in the order of the alphabet."""
    found = "".join(
        f'<div class="term"><dt>{escape(term)}</dt><dd>{escape(meaning)}</dd></div>'
        for term, meaning in TERMS.items()
    )
    return section("What the words mean", f"<dl>{found}</dl>", anchor=ANCHOR)


def pointer() -> str:
    """Where they are explained, for the top of the page."""
    return (
        '<p class="note">Words such as NDCG, blend and interval: '
        f'<a href="#{ANCHOR}">what they mean</a>.</p>'
    )
