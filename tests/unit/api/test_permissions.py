"""Every route has a permission, and every key and role may do exactly what the table says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from germane.api.auth import Keys
from germane.api.browser import Browsers
from germane.api.callers import Callers
from germane.api.endpoint import Endpoint
from germane.api.permissions import (
    ADMIN_ONLY,
    ALL,
    MEANING,
    OF_ROLE,
    OF_SCOPE,
    PERMISSIONS,
    TRAFFIC,
    roles_with,
)
from germane.api.routes import endpoints
from germane.app.engine import Engine
from germane.app.keys import ApiKeys
from germane.app.opening import open_engine
from germane.app.operators import Operators
from germane.domain.key import SCOPES
from germane.domain.operator import JUDGES, ROLES
from germane.testing import FakeWorld, a_shop, an_event
from tests.unit.api.test_edge import KEYS, refused, send

REFUSED = {"auth.invalid_key", "auth.forbidden"}
BODY: dict[str, Any] = {
    "event": "Product Viewed",
    "userId": "u",
    "type": "track",
    "batch": [],
    "groupId": "g",
    "previousId": "p",
}
SILENT = {"/v1/inbox/stream"}
"""It does not end: it has a test of its own."""
STRANGERS = ("nobody", "unknown key", "unknown token", "expired key", "revoked key")
CALLERS = (*STRANGERS, *SCOPES, "configured write", "configured server", *ROLES)
HEADERS: dict[str, dict[str, str]] = {}


@pytest.fixture
def engine(tmp_path: Path, world: FakeWorld) -> Iterator[Engine]:
    """With an operator of every role and a key of every scope; ``HEADERS`` has what opens."""
    opened = open_engine(a_shop(), tmp_path / "data", world=world)

    async def appoint() -> None:
        keys, given = ApiKeys(opened), {}
        for role in ROLES:
            name = role.replace(" ", "-")
            _, given[role] = await Operators(opened).add(name, [role], by="test")
        for scope in SCOPES:
            _, given[scope] = await keys.make(scope, by="test")
        _, given["expired key"] = await keys.make("admin", valid_s=1, by="test")
        ended, given["revoked key"] = await keys.make("admin", by="test")
        await keys.revoke(ended.key_id, by="test")
        world.advance(seconds=2)
        given |= {"unknown key": "ga_00000000_guessed", "unknown token": "gop_guessed"}
        given |= {"configured write": KEYS.write, "configured server": KEYS.server}
        HEADERS.update({name: {"authorization": f"Bearer {x}"} for name, x in given.items()})
        HEADERS["nobody"] = {}

    asyncio.run(appoint())
    yield opened
    opened.store.close()


def table(engine: Engine) -> list[Endpoint]:
    """All routes."""
    return endpoints(engine, Keys("w", "s"))


def allowed(caller: str) -> frozenset[str]:
    """What the table says. There is an admin key, so the configured server key is no more than a server key."""
    if caller in STRANGERS:
        return frozenset({"open"})
    if caller in ROLES:
        return OF_ROLE[caller]
    scope = caller.removeprefix("configured ")
    return OF_SCOPE[scope] | ({"decide"} if scope == "write" else set())  # with a person token


def test_every_route_says_its_permission(engine: Engine) -> None:
    found = table(engine)
    assert len(found) > 60
    assert all(each.permission in PERMISSIONS for each in found)
    assert {each.path for each in found if each.permission == "open"} <= {
        "/livez",
        "/readyz",
        "/metrics",
        "/c/{token}",
        "/o/{token}",
        "/u/{token}",
        "/w/{token}",
        "/.well-known/gpc.json",
        "/v1/providers/sendgrid",
        "/v1/providers/postmark",
        "/v1/providers/ses",
    }, "a new route without a key is a decision"
    for each in found:
        if each.path.startswith("/v1/people/") or each.path.startswith("/v1/messages"):
            assert each.permission not in OF_ROLE["analyst"], each
        if each.method == "GET" and each.path.startswith("/v1/people/"):
            assert each.audited, each
        if each.method != "GET" and each.permission not in TRAFFIC:
            assert each.audited, each


def test_the_table_is_whole() -> None:
    assert set(MEANING) == ALL
    assert set(OF_ROLE) == set(ROLES)
    assert set(OF_SCOPE) == set(SCOPES)
    assert OF_ROLE["admin"] == OF_SCOPE["admin"] == ALL
    assert OF_SCOPE["write"] <= TRAFFIC
    assert OF_SCOPE["server"] | ADMIN_ONLY == ALL
    for role in set(ROLES) - {"admin"}:
        assert not OF_ROLE[role] & {"keys", "operators.write", "letters.write", "track"}
    assert {x for x in ROLES if "approvals.judge" in OF_ROLE[x]} == set(JUDGES)
    assert roles_with("keys") == "admin"
    assert roles_with("content.write") == "editor, approver or admin"


@pytest.mark.parametrize("caller", CALLERS)
def test_every_route_opens_for_whom_the_table_says(engine: Engine, caller: str) -> None:
    """Allowed or refused as the table says, on every route; and never a server error."""
    routes = [each for each in table(engine) if each.path not in SILENT]
    calls = []
    for each in routes:
        path = each.path.replace(
            "{write_key}", HEADERS[caller].get("authorization", "x x").split()[1]
        )
        for name in ("person_id", "item_id", "content_id", "campaign", "surface", "key_id", "name",
                     "token", "message_id", "approval_id", "letter_id"):  # fmt: skip
            path = path.replace("{" + name + "}", "x")
        body = {} if each.method == "GET" else {"json": BODY}
        calls.append((each.method, path, {"headers": HEADERS[caller], **body}))
    answers = send(engine, *calls)
    wrong = []
    for each, answer in zip(routes, answers, strict=True):
        may = each.permission in allowed(caller)
        if each.path.startswith("/v1/projects/"):  # only a write key, in the address
            may = caller in ("write", "configured write")
        code = answer.json().get("code") if answer.status_code in (401, 403) else None
        status = 401 if caller in STRANGERS else 403
        said = (
            (code not in REFUSED) if may else answer.status_code in (401, 403) and code in REFUSED
        )
        exact = may or answer.status_code == status or each.path.startswith("/v1/projects/")
        if not said or not exact or (answer.status_code >= 500 and each.path != "/readyz"):
            wrong.append((each.act, each.permission, may, answer.status_code, answer.text[:200]))
    assert not wrong


def test_a_stream_is_for_those_who_may_decide(engine: Engine) -> None:
    """``GET /v1/inbox/stream`` asks before it streams."""
    callers = Callers(engine, KEYS)
    assert callers.served(_request(HEADERS["server"]), "decide")
    assert not callers.served(_request(HEADERS["write"]), "decide"), "a browser: it needs a token"
    assert not callers.served(_request({}), "decide")


def test_an_audience_is_a_number_for_whom_people_are_closed(engine: Engine) -> None:
    """Nobody reads single people out of a figure."""
    campaign = {"channel": "inapp", "content": "offer", "enter": {"event": "Limit Reached"}}
    path, event = "/v1/campaigns/all", {"event": "Limit Reached", "userId": "u"}
    _, _, seen, told = send(
        engine,
        ("PUT", path, {"json": campaign, "headers": HEADERS["editor"]}),
        ("POST", "/v1/track", {"json": event, "headers": HEADERS["write"]}),
        ("GET", f"{path}/audience", {"headers": HEADERS["admin"]}),
        ("GET", f"{path}/audience", {"headers": HEADERS["analyst"]}),
    )
    assert seen.json()["sample"] == ["u:u"]
    assert told.json() == seen.json() | {"sample": []}


def test_in_the_name_of_an_operator_a_key_may_what_they_may(engine: Engine) -> None:
    """A server key in an analyst's name does not open more than the analyst's token."""
    named = {**HEADERS["admin"], "germane-operator": "analyst"}
    nobody = {**HEADERS["server"], "germane-operator": "zoe"}
    fine, people, unknown, write = send(
        engine,
        ("GET", "/v1/campaigns", {"headers": named}),
        ("GET", "/v1/people/u", {"headers": named}),
        ("GET", "/v1/campaigns", {"headers": nobody}),
        ("GET", "/v1/campaigns", {"headers": {**HEADERS["write"], "germane-operator": "admin"}}),
    )
    assert fine.status_code == 200
    assert "role privacy officer or admin" in refused(people, 403, "auth.forbidden")["hint"]
    refused(unknown, 403, "approval.no_operator")
    refused(write, 403, "auth.forbidden")


def _request(headers: dict[str, str], query: bytes = b"") -> Any:
    from starlette.requests import Request

    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request(
        {"type": "http", "headers": raw, "query_string": query, "method": "GET", "path": "/"}
    )


def test_a_privacy_officer_sees_campaigns_and_changes_none(engine: Engine) -> None:
    """Which campaign uses whose data, for which purpose."""
    campaign = {"channel": "inapp", "content": "offer", "enter": {"event": "Product Viewed"}}
    theirs = {"headers": HEADERS["privacy officer"]}
    path = "/v1/campaigns/all"
    _, listed, one, audience, put, live = send(
        engine,
        ("PUT", path, {"json": campaign, "headers": HEADERS["editor"]}),
        ("GET", "/v1/campaigns", theirs),
        ("GET", path, theirs),
        ("GET", f"{path}/audience", theirs),
        ("PUT", path, {"json": campaign, **theirs}),
        ("POST", f"{path}/status", {"json": {"status": "live"}, **theirs}),
    )
    assert [each["campaign"] for each in listed.json()["campaigns"]] == ["all"]
    assert (one.status_code, audience.status_code) == (200, 200)
    for each in (put, live):
        refused(each, 403, "auth.forbidden")


def test_the_hint_of_a_write_key_is_true(engine: Engine) -> None:
    """It does more than send events, with a person token."""
    (answer,) = send(engine, ("GET", "/v1/people/u", {"headers": HEADERS["configured write"]}))
    hint = refused(answer, 403, "auth.forbidden")["hint"]
    assert "only" not in hint
    assert "person token" in hint
    assert "server key" in hint


@pytest.mark.parametrize("caller", ["configured server", "browser"])
def test_a_stream_hears_the_signal_of_the_browser(engine: Engine, caller: str) -> None:
    """``Sec-GPC: 1``, whoever opens it."""
    engine.accept_now([an_event(user="", anonymous_id="x")])
    browsers = Browsers(engine, Callers(engine, KEYS), anonymous=True)
    headers, query = HEADERS.get(caller, {}), b"anonymousId=x&writeKey=" + KEYS.write.encode()
    assert browsers.watcher(_request(headers, query)) == "a:x"
    assert engine.profile_of("a:x").consent == {}
    assert browsers.watcher(_request(headers | {"sec-gpc": "1"}, query)) == "a:x"
    no = {"cross_channel_advertising": False, "cross_site_tracking": False}
    assert engine.profile_of("a:x").consent == no
