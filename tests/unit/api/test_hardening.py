"""What a scanner or a checklist asks of any API: headers, methods, fields that nobody may set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from germane.api.routes import endpoints
from germane.app.engine import Engine
from germane.domain.key import key_hash
from tests.unit.api.conftest import Here
from tests.unit.api.test_edge import EVENT, KEYS, SERVER, WRITE, refused, send


@pytest.mark.parametrize(
    ("path", "more"),
    [("/v1/surfaces", {"auth": SERVER}), ("/v1/surfaces", {}), ("/v1/none", {}), ("/livez", {})],
)
def test_nothing_on_the_way_keeps_an_answer(here: Here, path: str, more: dict[str, Any]) -> None:
    (answer,) = here.send(("GET", path, more))
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/json"
    assert "server" not in answer.headers
    assert "set-cookie" not in answer.headers, "without cookies nobody can be made to act"


def test_the_page_of_the_api_runs_no_script_and_is_framed_by_nobody(here: Here) -> None:
    (page,) = here.send(("GET", "/docs", {}))
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "<script" not in page.text


@pytest.mark.parametrize(
    ("path", "method", "more"),
    [
        ("/v1/keys", "POST", {"scope": "write", "keyId": "mine"}),
        ("/v1/keys", "POST", {"scope": "write", "digest": key_hash("mine")}),
        ("/v1/keys", "POST", {"scope": "write", "usedDay": 1}),
        ("/v1/operators/eve", "PUT", {"roles": ["editor"], "token": key_hash("mine")}),
        ("/v1/operators/eve", "PUT", {"roles": ["editor"], "sinceMs": 1}),
        ("/v1/items/i1", "PATCH", {"createdMs": 1}),
    ],
)
def test_nobody_sets_what_is_not_theirs_to_set(
    here: Here, path: str, method: str, more: dict[str, Any]
) -> None:
    """A field that a body does not have is an error, and named."""
    (answer,) = here.send((method, path, {"json": more, "auth": SERVER}))
    said = refused(answer, 400, "request.invalid")
    assert list(more)[-1] in said["message"]


def test_methods_that_are_not_there(here: Here) -> None:
    for each in endpoints(here.engine, KEYS):
        if "{" in each.path:
            continue
        for method in ("TRACE", "CONNECT", "PROPFIND"):
            (answer,) = here.send((method, each.path, {"auth": SERVER}))
            assert answer.status_code == 405, (method, each.path)


def test_two_keys_that_differ_are_no_key(here: Here) -> None:
    """A parameter that comes twice is not a way around the one that is looked at."""
    body = {**EVENT, "writeKey": "another"}
    told = here.send(
        ("POST", "/v1/track", {"json": body, "auth": WRITE}),
        ("POST", "/v1/track?writeKey=another", {"json": EVENT, "auth": WRITE}),
        ("GET", "/v1/surfaces?authorization=x", {"auth": WRITE}),
    )
    assert [each.status_code for each in told] == [401, 401, 403]


@pytest.mark.parametrize(
    "path",
    [
        "/germane.js/../../../etc/passwd",
        "/docs/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
    ],
)
def test_no_address_leads_to_a_file(here: Here, path: str) -> None:
    (answer,) = here.send(("GET", path, {}))
    assert answer.status_code == 404


def test_keys_are_in_no_answer_and_in_no_log(
    here: Here, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The key that was used, and a wrong one, are told to nobody."""
    calls = [("GET", each.path, {"auth": auth}) for auth in (SERVER, ("guess-of-a-key", ""))
             for each in endpoints(here.engine, KEYS)
             if each.method == "GET" and "{" not in each.path and each.path != "/v1/inbox/stream"]  # fmt: skip
    told = json.dumps([each.text for each in here.send(*calls)])
    printed = capsys.readouterr()
    for key in (KEYS.server, KEYS.write, "guess-of-a-key"):
        assert key not in told
        assert key not in printed.out + printed.err + caplog.text


def test_too_much_work_is_refused(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than taken and forgotten; and clients are told when to come again."""
    monkeypatch.setattr("germane.app.engine.MAX_WAITING", -1)
    (answer,) = here.send(("POST", "/v1/track", {"json": EVENT, "auth": WRITE}))
    refused(answer, 429, "server.overloaded")
    assert answer.headers["retry-after"] == "1"


def test_only_listed_origins_read_answers(engine: Engine) -> None:
    """And an origin opens nothing: the key does."""
    mine, other = {"origin": "https://shop.example"}, {"origin": "https://other.example"}
    listed, unlisted, no_key = send(
        engine,
        ("GET", "/v1/surfaces", {"auth": SERVER, "headers": mine}),
        ("GET", "/v1/surfaces", {"auth": SERVER, "headers": other}),
        ("GET", "/v1/surfaces", {"headers": mine}),
    )
    assert listed.headers["access-control-allow-origin"] == "https://shop.example"
    assert "access-control-allow-origin" not in unlisted.headers
    assert no_key.status_code == 401


def test_every_line_of_the_security_page_names_tests_that_exist() -> None:
    """Tables of checklists grow stale quietly: this one cannot."""
    root = Path(__file__).parents[3]
    page = (root / "docs/explanation/security.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith(("| API", "| V"))]
    assert len([each for each in rows if each.startswith("| API")]) == 10
    assert len(rows) >= 50
    for row in rows:
        _, what, does, shown = _cells(row)
        names = [x for x in shown.split("`")[1::2] if x]
        assert does.strip(), what
        assert names or shown.strip(" |") in ("not yet", "–"), row
        for name in names:
            file, _, test = name.partition("::")
            source = root / "tests" / file
            assert source.is_file(), name
            assert f"def {test}(" in source.read_text("utf-8"), name


def _cells(row: str) -> list[str]:
    cells = [each.strip() for each in row.strip("|").split("|")]
    assert len(cells) == 4, row
    return cells


def test_what_waits_for_the_disk_too_long_is_refused(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sends it would be gone by then. A decision waits for no disk while there is room for it."""
    asked = {"person": {"userId": "u1"}, "surfaces": [{"surface": "home"}]}
    decide = ("POST", "/v1/decide", {"json": asked, "auth": SERVER})
    monkeypatch.setattr(here.engine._committer, "oldest_s", lambda: 6.0)
    event, decision = here.send(("POST", "/v1/track", {"json": EVENT, "auth": WRITE}), decide)
    refused(event, 429, "server.overloaded")
    assert decision.status_code == 200
    monkeypatch.setattr("germane.app.engine.MAX_WAITING", -1)
    (decision,) = here.send(decide)
    refused(decision, 429, "server.overloaded")
    assert here.engine.counters.overloaded == 2
