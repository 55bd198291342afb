"""The pages that Germane serves or writes as HTML, with payloads in every field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from germane.api import openapi, pages, snippet, why_page
from germane.app.backtest import findings as found
from germane.app.backtest.findings import Findings
from germane.app.why import Because, Shown, Told
from germane.cli.report import page as report_page
from germane.measure.bootstrap import Estimate
from germane.privacy import page as export_page
from germane.testing.xss import Document
from tests.acceptance.xss.checking import Sink

_E = Estimate(0.3, 0.2, 0.4, 1_000, 200)


def _document(name: str, response: Response) -> Document:
    html = bytes(response.body).decode()
    return Document(
        name, html, {k: v for k, v in response.headers.items() if k != "content-length"}
    )


def why(texts: Sequence[str]) -> list[Document]:
    """*Why am I seeing this?*: as it is first seen, after an opt-out, refused."""
    shown = tuple(
        Shown(
            text, text, n, text, text, (Because(text, text, (text,), text, n % 3 == 0),), n % 5 == 0
        )
        for n, text in enumerate(texts)
    )
    muted = {
        "values": [{"value": each} for each in texts],
        "items": [{"title": each, "itemId": ""} for each in texts]
        + [{"title": "", "itemId": each} for each in texts],
        "reasons": [{"text": each} for each in texts],
    }
    told = Told(shown, True, False, True, True, muted)
    out = Told(shown, False, True, True, True, muted, message=True)
    return [
        _document("why", why_page.whole(told, done="less_like_this")),
        _document("why-opted-out", why_page.whole(out, refused=True)),
    ]


def leaving(texts: Sequence[str]) -> list[Document]:
    """The pages behind the unsubscription link."""
    titled = {each: each for each in texts}
    joined = " ".join(texts)
    return [
        _document("leave", pages.ask(texts[0], titled)),
        _document("leave-one", pages.ask(joined, {joined: joined})),
        _document("leave-unknown", pages.ask(joined, {})),
        _document("left", pages.done(list(texts))),
        _document("titled", pages.page(joined, "")),
    ]


def export(texts: Sequence[str]) -> list[Document]:
    """The export of a person, as a page: every name and every value."""
    rows: list[dict[str, Any]] = [
        {"recorded": each, "name": each, each: each, "deep": {each: [each, {each: [[each]]}]}}
        for each in texts
    ]
    parts = (
        "profile",
        "consent",
        "events",
        "decisions",
        "impressions",
        "outcomes",
        "messages",
        "moves",
        "ledger",
        "deadLetters",
        "state",
    )
    whole = dict.fromkeys(parts[1:3], rows) | dict.fromkeys(parts[3:], rows[:40])
    joined = " ".join(texts)
    of_them = {"personId": joined, "keys": list(texts), "exported": joined, "profile": rows[0]}
    return [Document("export", export_page.page(whole | of_them), export_page.HEADERS)]


def findings(texts: Sequence[str]) -> Findings:
    """Of a backtest, with these texts for every name in it."""
    joined = " ".join(texts)
    return Findings(
        sample=found.Sample(
            9, 9, 9, 9, 0, 9, 5, 9, 9, 9, 9, 7, False, tuple(texts), True, 1, 1, True, 1.0
        ),
        answer=found.Answer("yes", _E, _E, _E, joined, _E, joined, _E),
        steps=tuple(
            found.Step(x, n, n + 1, _E, _E, x, _E, _E, x, _E, _E, _E, _E)
            for n, x in enumerate(texts)
        ),
        lists=tuple(found.Row(x, _E, _E, _E, _E) for x in texts),
        sources=tuple(found.Source(x, 0.5, _E, _E, _E) for x in texts),
        kinds=tuple(found.Kind(x, 0.5, _E, _E, _E, x) for x in texts),
        only_new=(_E, _E),
        quotas=(
            found.Quota(0.0, _E, _E, _E, 0.1, 0.1, 0.1),
            found.Quota(0.2, _E, _E, _E, 0.1, 0.1, 0.1),
        ),
        newcomers=found.Newcomers(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 9),
        checks=tuple(found.Check(x, "warning", x, x) for x in texts),
        advice=tuple(found.Advice(x, x, x) for x in texts),
        calibration=(found.Bin(0.1, _E),),
        coverage=0.1,
        coverage_broadcast=0.1,
        candidate_recall=0.1,
        personal_by_people=_E,
        broadcast_by_people=_E,
        crossing=None,
        worse_than_part=tuple(texts),
    )


def report(texts: Sequence[str]) -> list[Document]:
    """The report of a backtest."""
    return [Document("report", report_page(findings(texts), " ".join(texts)))]


def described(texts: Sequence[str]) -> list[Document]:
    """The page of the API, as if somebody could name its parts."""
    operations = {
        each: {
            each: {
                "tags": [each],
                "summary": each,
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": f"#/x/{each}."}}}
                },
                "responses": {each: {"description": each}},
            }
        }
        for each in texts
    }
    schemas = {each: {"title": each, each: [each]} for each in texts}
    whole = {
        "paths": operations,
        "components": {"schemas": schemas},
        "info": {"version": " ".join(texts)},
    }
    return [Document("docs", openapi.page(whole), openapi.PAGE_HEADERS)]


def example(texts: Sequence[str]) -> list[Document]:
    """The page that shows the snippet at work, as if a surface or a key could be called like that."""
    joined = " ".join(texts)
    policy = {"Content-Security-Policy": snippet._CSP}
    return [Document("example", snippet._example(joined, joined, ""), policy)]


SINKS = (
    Sink(
        "why page",
        (
            "decision",
            "item id",
            "title",
            "category",
            "reason code",
            "reason",
            "what it rests on",
            "source",
            "muted value",
            "muted title",
            "muted item id",
            "muted reason",
        ),
        why,
    ),
    Sink("unsubscription", ("purpose", "its title", "purpose left", "title of the page"), leaving),
    Sink(
        "export of a person",
        ("person id", "key", "time", "summary", "name", "value", "nested name", "nested value"),
        export,
    ),
    Sink(
        "backtest report",
        (
            "source",
            "target",
            "list",
            "step",
            "part",
            "row",
            "source of the blend",
            "kind",
            "rule",
            "check",
            "its value",
            "its meaning",
            "advice",
            "why",
            "how",
            "worse",
        ),
        report,
    ),
    Sink(
        "page of the API",
        ("tag", "path", "method", "summary", "body", "status", "description", "schema", "version"),
        described,
    ),
    Sink("example page", ("surface", "write key"), example),
)
