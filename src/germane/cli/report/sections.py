"""The sections that everyone reads."""

from __future__ import annotations

from html import escape

from germane.app.backtest.findings import Findings, Source
from germane.cli.report import svg
from germane.cli.report.html import Column, figure, paragraph, section, table
from germane.cli.report.words import (
    for_whom,
    hundred,
    name,
    number,
    of_quota,
    percent,
    quota_acts,
    step_note,
)
from germane.measure.bootstrap import Estimate

_N = True
SHARE_SHOWN = 0.005


def point(each: Estimate) -> svg.Point | None:
    """For a plot; nothing where there are too few people."""
    return svg.Point(each.value, each.low, each.high) if each.enough else None


def for_whom_section(findings: Findings) -> str:
    """The readiness curve."""
    steps = findings.steps
    plot = svg.lines(
        "Hits by what was known of the person",
        for_whom(findings),
        [step.label for step in steps],
        [
            svg.Series("personal list", "a", [point(step.personal) for step in steps]),
            svg.Series("best list for everyone", "b", [point(step.broadcast) for step in steps]),
        ],
        x="interactions before",
        y="times the list held what was chosen",
    )
    columns = (
        Column("Before"),
        Column("Times", _N),
        Column("People", _N),
        Column("Personal", _N),
        Column("Best for everyone", _N),
        Column("Difference", _N),
        Column("Better"),
    )
    rows = [
        (
            step.label,
            f"{step.personal.n:,}",
            f"{step.personal.people:,}",
            percent(step.personal),
            percent(step.broadcast),
            percent(step.difference),
            step_note(step),
        )
        for step in steps
    ]
    behind = table("Share of times with a hit in ten, 95 % intervals", columns, rows)
    return section(
        "For whom?",
        paragraph(for_whom(findings)),
        figure(
            plot, "Bars: 95 % intervals. Groups with fewer than 20 people are not drawn.", behind
        ),
        _traits(findings),
    )


def _traits(findings: Findings) -> str:
    steps = [step for step in findings.steps if step.traits_gain.n]
    if not steps:
        return paragraph(
            "What people declared about themselves plays no part: nothing was declared that speaks "
            "about items.",
            "note",
        )
    rows = [
        (
            step.label,
            f"{step.traits_gain.n:,}",
            f"{step.traits_gain.people:,}",
            number(step.with_traits),
            number(step.traits_gain),
        )
        for step in steps
    ]
    clear = [step.label for step in steps if step.traits_gain.above]
    said = (
        f"What people declared about themselves helps clearly at {', '.join(clear)} earlier interactions."
        if clear
        else "What people declared about themselves makes no clear difference."
    )
    columns = (
        Column("Before"),
        Column("Times", _N),
        Column("People", _N),
        Column("NDCG@10 with", _N),
        Column("Gain over without", _N),
    )
    return paragraph(said) + table(
        "The same people at the same times, with what they declared and without", columns, rows
    )


def sources_section(findings: Findings) -> str:
    """Which sources carry it."""
    shown = [each for each in findings.sources if each.share >= SHARE_SHOWN or each.lost.above]
    shown.sort(key=lambda each: -each.lost.value)
    rows = [
        svg.Bar(name(each.name), _lost(each), f"{each.lost.value:+.4f}".replace("-", "−"), "a")
        for each in shown
    ]
    plot = svg.bars(
        "What is lost without each source",
        "NDCG@10 that the blend loses when it may not use a source.",
        rows,
        x="accuracy (NDCG@10) lost without it",
    )
    columns = (
        Column("Source"),
        Column("Share of the score", _N),
        Column("Alone, NDCG@10", _N),
        Column("Blend less that", _N),
        Column("Lost without it", _N),
    )
    table_rows = [
        (
            name(each.name),
            f"{each.share:.0%}",
            number(each.alone),
            number(each.alone_difference),
            number(each.lost),
        )
        for each in findings.sources
    ]
    main = [name(each.name) for each in shown if each.lost.above]
    said = (
        f"Most is lost without: {', '.join(main[:3])}."
        if main
        else "No single source is missed clearly: they say much the same, or there is nothing to say."
    )
    return section(
        "Which sources carry it?",
        paragraph(said),
        figure(
            plot,
            "A source is one way to propose items. The blend weighs all of them into one list; here "
            "it is judged without one of them. Below 0: it does better without.",
            table("The sources of the blend, 95 % intervals", columns, table_rows),
        ),
        paragraph(_parts(findings)),
    )


def _lost(each: Source) -> svg.Point:
    return svg.Point(each.lost.value, each.lost.low, each.lost.high)


def _parts(findings: Findings) -> str:
    if not findings.worse_than_part:
        return (
            "In no group is the blend clearly worse than the best of its parts (each source alone, and each "
            "simple list)."
        )
    worse = [step for step in findings.steps if step.label in findings.worse_than_part]
    told = "; ".join(
        f"{step.label} interactions before: {name(step.part_name)} has {step.part_ndcg.value:.4f}, the blend "
        f"{step.ndcg.value:.4f}"
        for step in worse
    )
    return f"The blend is clearly worse than its best part here (NDCG@10): {told}."


def kinds_section(findings: Findings) -> str:
    """Repeat against new."""
    columns = (
        Column("Choice of"),
        Column("Share", _N),
        Column("Personal", _N),
        Column("Best for everyone", _N),
        Column("Best simple rule", _N),
        Column("Which rule"),
    )
    rows = [
        (
            f"what they {each.name}" if each.name == "had before" else f"what was {each.name}",
            f"{each.share:.0%}",
            percent(each.personal),
            percent(each.broadcast),
            percent(each.rule),
            name(each.rule_name),
        )
        for each in findings.kinds
    ]
    if findings.sample.left_out:
        said = (
            "People hardly ever choose again what they had, so it was left out of every list, and only new "
            "choices count."
        )
    else:
        repeat = sum(each.share for each in findings.kinds if each.name == "had before")
        said = f"{repeat:.0%} of what people choose they had before; the rest is new to them."
    more = ""
    if findings.only_new is not None:
        personal, broadcast = findings.only_new
        more = paragraph(
            f"Lists of nothing but new things: a personal one holds what people then chose "
            f"{hundred(personal.value)} "
            f"times in 100 (95 %: {hundred(personal.low)} to {hundred(personal.high)}), the best "
            "one for everyone "
            f"{hundred(broadcast.value)} ({hundred(broadcast.low)} to {hundred(broadcast.high)})."
        )
    return section(
        "Things they had, and new things",
        paragraph(said),
        table("Hits in ten by kind of choice, 95 % intervals", columns, rows),
        more,
    )


def quota_section(findings: Findings) -> str:
    """The price of the diversity quota."""
    quotas = findings.quotas
    if not quota_acts(findings):
        return section("What does variety cost?", paragraph(of_quota(findings)))
    labels = [f"{each.quota:.0%}" for each in quotas]
    plot = svg.lines(
        "Accuracy by diversity quota",
        of_quota(findings),
        labels,
        [svg.Series("NDCG@10", "a", [point(each.ndcg) for each in quotas])],
        x="diversity quota",
        y="accuracy (NDCG@10)",
        shares=False,
    )
    columns = (
        Column("Quota"),
        Column("Times", _N),
        Column("NDCG@10", _N),
        Column("Price", _N),
        Column("Hits in ten", _N),
        Column("Places of a new category", _N),
        Column("Chosen of those", _N),
        Column("Could not be met", _N),
    )
    rows = [
        (
            f"{each.quota:.0%}",
            f"{each.ndcg.n:,}",
            number(each.ndcg),
            number(each.price),
            percent(each.hit),
            f"{each.new_kind:.1%}",
            f"{each.new_kind_hits:.2%}",
            f"{each.short:.1%}",
        )
        for each in quotas
    ]
    behind = table("Diversity quotas, the same choices, 95 % intervals", columns, rows)
    return section(
        "What does variety cost?",
        paragraph(of_quota(findings)),
        figure(
            plot,
            "A quota keeps some places for categories that are related to what the person likes "
            "and new to them.",
            behind,
        ),
    )


def newcomers_section(findings: Findings) -> str:
    """Items younger than a week."""
    each = findings.newcomers
    if not each.choices and not each.places:
        said = (
            "No item was new in the time that was predicted, or none was chosen in its first week."
        )
    else:
        said = (
            f"Items in their first week are {each.choices:.1%} of what people choose. They get "
            f"{each.places:.1%} of "
            f"the places in personal lists ({each.places_broadcast:.1%} in the best list for "
            "everyone). Of such a "
            f"place {each.hit_rate:.1%} are chosen, of all places {each.hit_rate_all:.1%}."
        )
    first = (
        f" {each.unknown:.1%} of choices were the very first of an item that nobody had announced: "
        "no list could "
        "hold it."
        if each.unknown >= 0.001
        else ""
    )
    return section("New items", paragraph(said + first))


def health_section(findings: Findings) -> str:
    """Is the data good enough?"""
    marks = {"good": "✓", "warning": "!", "bad": "✗"}
    words = {"good": "good", "warning": "look at it", "bad": "poor"}
    rows = "".join(
        f'<tr><th scope="row"><span class="{each.level}" aria-hidden="true">{marks[each.level]}</span> '
        f'{escape(each.name)}</th><td class="{each.level}">{words[each.level]}</td>'
        f"<td>{escape(each.value)}</td><td>{escape(each.meaning)}</td></tr>"
        for each in findings.checks
    )
    bad = sum(each.level != "good" for each in findings.checks)
    said = (
        f"{bad} of {len(findings.checks)} checks ask for a look." if bad else "All checks are good."
    )
    return section(
        "Is the data good enough?",
        paragraph(said),
        '<div class="scroll" role="region" tabindex="0" aria-label="Checks of the data"><table>'
        "<caption>Checks of the data</caption><thead>"
        '<tr><th scope="col">Check</th><th scope="col">Result</th><th scope="col">Number</th>'
        f'<th scope="col">What it means</th></tr></thead><tbody>{rows}</tbody></table></div>',
    )


def advice_section(findings: Findings) -> str:
    """What to collect next."""
    if not findings.advice:
        return section(
            "What to collect next", paragraph("Nothing is missing that these data could tell of.")
        )
    found = "".join(
        f'<div class="advice"><dt>{escape(each.title)}</dt><dd>{escape(each.why)} {escape(each.how)}</dd></div>'
        for each in findings.advice
    )
    return section("What to collect next", f"<dl>{found}</dl>")
