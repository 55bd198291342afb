"""The numbers for those who know them, and how they were come by."""

from __future__ import annotations

from germane.app.backtest.findings import Findings
from germane.cli.common import many
from germane.cli.report.html import Column, paragraph, section, table
from germane.cli.report.words import day, name, number, percent

_N = True


def expert(findings: Findings) -> str:
    """NDCG, hits, MRR, coverage, calibration."""
    columns = (
        Column("List"),
        Column("NDCG@10", _N),
        Column("hit@10", _N),
        Column("MRR@10", _N),
        Column("Personal less this, NDCG@10", _N),
    )
    rows = [
        (
            name(row.name),
            number(row.ndcg),
            number(row.hit),
            number(row.mrr),
            "" if row.name == "personal" else number(row.difference),
        )
        for row in findings.lists
    ]
    n = findings.lists[0].ndcg
    return section(
        "The numbers for experts",
        table(
            f"All lists on the same choices: n = {n.n:,} from {many(n.people, 'person', 'people')}, "
            "95 % intervals",
            columns,
            rows,
        ),
        table("More", (Column("Figure"), Column("Value", _N)), _more(findings)),
        _steps(findings),
        _calibration(findings),
    )


def _more(findings: Findings) -> list[tuple[str, str]]:
    return [
        ("hit@10 when everyone counts the same, personal", percent(findings.personal_by_people)),
        ("the same, best list for everyone", percent(findings.broadcast_by_people)),
        ("Difference of hit@10, paired", percent(findings.answer.difference)),
        ("Items of the catalogue that anybody was shown, personal", f"{findings.coverage:.1%}"),
        ("the same, best list for everyone", f"{findings.coverage_broadcast:.1%}"),
        ("Choices that were among the candidates at all", f"{findings.candidate_recall:.1%}"),
    ]


def _steps(findings: Findings) -> str:
    columns = (
        Column("Before"),
        Column("n", _N),
        Column("NDCG@10", _N),
        Column("Best part", _N),
        Column("NDCG@10 of it", _N),
        Column("Personal less that", _N),
    )
    rows = [
        (
            step.label,
            f"{step.ndcg.n:,}",
            number(step.ndcg),
            name(step.part_name),
            number(step.part_ndcg),
            number(step.part_difference),
        )
        for step in findings.steps
    ]
    return table(
        "The blend against the best of its parts in each group (the best is chosen afterwards, in its favour)",
        columns,
        rows,
    )


def _calibration(findings: Findings) -> str:
    if not findings.calibration:
        return ""
    columns = (Column("Expected"), Column("Found", _N), Column("n", _N))
    rows = [
        (f"{each.expected:.1%}", percent(each.found), f"{each.found.n:,}")
        for each in findings.calibration
    ]
    return table(
        "Calibration: the share of choices inside their list, where the blend (a softmax over its candidates) "
        "expected so much",
        columns,
        rows,
    )


def method(findings: Findings) -> str:
    """How it was measured, and what it must not be used for."""
    sample = findings.sample
    trees = (
        f"Trees were trained beside {many(sample.trainings, 'time')}; {many(sample.promoted, 'time')} "
        "they proved themselves and ranked from then on."
        if sample.trains
        else "LightGBM is not installed, so the online blend ranked alone (pip install 'germane[train]')."
    )
    settings = (
        "There was no configuration: signals, weights and attributes were derived from the data by "
        "usual names, "
        "and what traits speak for from the time before the first prediction."
        if sample.derived
        else "With the signals, attributes and rules of your configuration."
    )
    asked = (
        f"{many(sample.events, 'event')} of {many(sample.people, 'person', 'people')} with "
        f"{many(sample.items, 'item')}, "
        f"{day(sample.first_ms)} to {day(sample.last_ms)}. {settings} "
        f"A choice is: {', '.join(sample.targets)}."
    )
    replayed = (
        "Everything was replayed in the order of time through the engine itself. Up to "
        f"{day(sample.split_ms)} it only learned. From then on each person was asked for just before they "
        "chose something, then that was learned. Events that share a time were all predicted before any "
        f"of them was learned. Every item of the catalogue competed. {trees}"
    )
    judged = (
        "A hit: at least one of the ten was chosen at that moment (one order, or one click). The best list "
        "for everyone is the best of four in hindsight, which is in its favour. Intervals: bootstrap over "
        "people, so that one busy person does not count as many; differences are paired."
    )
    took = f"It took {sample.seconds:,.0f} s."
    never = (
        "These people had not seen the lists. What they chose was chosen from what they were shown then, by "
        "whatever ranked then: that favours what was shown often, which is mostly the "
        "best-sellers. Do not read "
        "the difference as extra sales, do not compare it with another engine's figures on other "
        "data, and do not "
        "judge single people by it. What personalisation brings is told by a holdout after launch "
        "(holdout_share)."
    )
    return section(
        "How it was measured, and what it must not be used for",
        *(paragraph(each) for each in (asked, replayed, judged, took)),
        paragraph(never),
    )
