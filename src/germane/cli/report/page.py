"""The whole page, in the order in which questions come."""

from __future__ import annotations

from html import escape
from importlib.resources import files

from germane.app.backtest.findings import Findings
from germane.cli.common import many
from germane.cli.report import sections
from germane.cli.report.expert import expert, method
from germane.cli.report.html import paragraph
from germane.cli.report.terms import pointer, terms
from germane.cli.report.words import against_rule, day, plain_answer

_VERDICTS = {
    "yes": ("yes", "Yes: it would pay"),
    "no": ("no", "No: it would not pay here"),
    "unclear": ("unclear", "Not clear yet"),
    "too little": ("little", "Too little data"),
}


def page(findings: Findings, source: str) -> str:
    """The report as HTML.

    Args:
        findings: What was found.
        source: Name of what was replayed.
    """
    style = files("germane.cli.report").joinpath("style.css").read_text("utf-8")
    title = f"Would personalisation pay? {source}"
    body = "".join(
        (
            _top(findings, source),
            sections.for_whom_section(findings),
            sections.sources_section(findings),
            sections.kinds_section(findings),
            sections.quota_section(findings),
            sections.newcomers_section(findings),
            sections.health_section(findings),
            sections.advice_section(findings),
            terms(),
            expert(findings),
            method(findings),
        )
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
        'img-src data:">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{style}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _top(findings: Findings, source: str) -> str:
    sample, answer = findings.sample, findings.answer
    css, verdict = _VERDICTS[answer.verdict]
    stopped = ""
    if sample.stopped_ms is not None:
        stopped = (
            f'<p class="banner"><strong>Stopped by hand.</strong> This report holds what was reached: '
            f"{sample.events_done:,} of {many(sample.events, 'event')}, up to {day(sample.stopped_ms)}.</p>"
        )
    whom = "everyone who chose something then"
    if sample.people_asked < sample.people_could:
        how = "chosen by a hash of their id" if sample.stopped_ms is None else "as far as it came"
        whom = f"{sample.people_asked:,} of {many(sample.people_could, 'person', 'people')}, {how}"
    basis = (
        f"From {many(answer.personal.n, 'time')} that {many(answer.personal.people, 'person', 'people')} "
        "chose something between "
        f"{day(sample.split_ms)} and {day(sample.stopped_ms or sample.last_ms)}; predicted for {whom}."
    )
    return (
        f"<header><h1>Would personalisation pay? · {escape(source)}</h1>{stopped}"
        f'<p class="verdict {css}">{escape(verdict)}</p>'
        f'<p class="answer">{escape(plain_answer(findings))}</p>'
        f"{paragraph(against_rule(answer))}{paragraph(basis, 'note')}{pointer()}</header>"
    )
