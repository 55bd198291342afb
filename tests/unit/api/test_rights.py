"""Access and erasure by API: who may, in which form, and what is left."""

from __future__ import annotations

from typing import Any

from germane.app.engine import Engine
from germane.domain.event import Event
from germane.privacy.erasure import genuine
from germane.testing import an_event
from tests.unit.api.test_edge import SERVER, WRITE, refused, send

ANN, EXPORT = "/v1/people/ann", "/v1/people/ann/export"


def told() -> list[Event]:
    """What is known of Ann."""
    return [
        an_event("", kind="identify", user="ann", traits={"firstName": "<b>Ann</b>"}),
        an_event(user="ann", item="i2"),
    ]


def test_only_the_server_key_opens_them(engine: Engine) -> None:
    engine.accept_now(told())
    closed, public = send(engine, ("GET", EXPORT, {}), ("GET", EXPORT, {"auth": WRITE}))
    refused(closed, 401, "auth.invalid_key")
    refused(public, 403, "auth.forbidden")
    assert engine.person("ann") is not None


def test_an_erasure_needs_it_as_well(engine: Engine) -> None:
    engine.accept_now(told())
    closed, public = send(engine, ("DELETE", ANN, {}), ("DELETE", ANN, {"auth": WRITE}))
    refused(closed, 401, "auth.invalid_key")
    refused(public, 403, "auth.forbidden")
    assert engine.person("ann") is not None


def test_everything_and_then_nothing(engine: Engine) -> None:
    """JSON for programs, a page for people; a signed receipt; then nobody knows her."""
    engine.accept_now(told())
    auth: dict[str, Any] = {"auth": SERVER}
    accepts = {"headers": {"Accept": "text/html,application/xhtml+xml"}}
    data, shown, receipt, again, asked, gone = send(
        engine,
        ("GET", EXPORT, auth),
        ("GET", EXPORT, auth | accepts),
        ("DELETE", ANN, auth),
        ("DELETE", ANN, auth),
        ("GET", EXPORT, auth),
        ("GET", ANN, auth),
    )
    assert data.status_code == 200, data.text
    assert data.json()["personId"] == "u:ann"
    assert [each["kind"] for each in data.json()["events"]] == ["identify", "track"]
    assert shown.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert "&lt;b&gt;Ann" in shown.text
    assert "<b>Ann" not in shown.text
    assert receipt.status_code == 200
    assert genuine(engine.key, receipt.json())
    assert receipt.json()["removed"]["events"] == 2
    assert receipt.json()["sharedModel"]["rebuilt"] == "in the background"
    for each in (again, asked, gone):
        assert each.status_code == 404
        assert each.json()["code"] == "profile.unknown_person"


def test_what_was_just_decided_is_in_it(engine: Engine) -> None:
    """A decision's record rides in the next commit: an export waits for it."""
    engine.accept_now(told())
    ask = {"person": {"userId": "ann"}, "surfaces": [{"surface": "home"}]}
    decided, data = send(
        engine,
        ("POST", "/v1/decide", {"auth": SERVER, "json": ask}),
        ("GET", EXPORT, {"auth": SERVER}),
    )
    (made,) = decided.json()["decisions"]
    assert [each["decision_id"] for each in data.json()["decisions"]] == [made["decisionId"]]
