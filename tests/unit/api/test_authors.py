"""Who writes campaigns and content over HTTP: known by their token, or by the name that comes with the key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.operators import Operators
from germane.testing import FakeWorld, a_shop
from tests.unit.api.test_edge import SERVER, refused, send

SAYS = {"en": {"text": "Audit logging for your team."}}
OFFER = {
    "channel": "inapp",
    "slots": [{"name": "opening", "kind": "text", "variants": [{"id": "one", "texts": SAYS}]}],
}
CAMPAIGN: dict[str, Any] = {
    "channel": "inapp",
    "content": "offer",
    "enter": {"event": "Limit Reached"},
    "approval": {"of": "campaign"},
}
TOKENS: dict[str, str] = {}


@pytest.fixture
def engine(tmp_path: Path, world: FakeWorld) -> Iterator[Engine]:
    """With ``ann`` (editor), ``dot`` (admin) and ``eve`` (analyst)."""
    opened = open_engine(a_shop(), tmp_path / "data", world=world)

    async def appoint() -> None:
        for name, role in (("ann", "editor"), ("dot", "admin"), ("eve", "analyst")):
            _, TOKENS[name] = await Operators(opened).add(name, [role], by="test")

    asyncio.run(appoint())
    yield opened
    opened.store.close()


def put(path: str, body: dict[str, Any], name: str = "", *, key: bool = False) -> tuple[Any, ...]:
    """A call with somebody's token; with ``key``, with the server key in their name."""
    named = {"germane-operator": name} if name and key else {}
    named |= {} if key else {"authorization": f"Bearer {TOKENS[name]}"}
    return "PUT", f"/v1/{path}", {"json": body, "headers": named, "auth": SERVER if key else None}


def test_whoever_writes_is_known(engine: Engine) -> None:
    written, named, nobody, read = send(
        engine,
        put("content/offer", OFFER, "ann"),
        put("campaigns/upgrade", {**CAMPAIGN, "author": "bob"}, "dot", key=True),
        put("campaigns/other", CAMPAIGN, key=True),
        ("GET", "/v1/content/offer", {"auth": SERVER}),
    )
    assert (written.json()["putBy"], written.json()["author"]) == ("ann", None)
    assert (named.json()["putBy"], named.json()["author"]) == ("dot", "bob")
    assert nobody.json()["putBy"] is None
    content = engine.library.contents["offer"]
    assert content.put_by == "ann"
    assert "putBy" not in read.json()["definition"], "it can be sent again"


def test_what_is_live_stays_able_to_send(engine: Engine) -> None:
    """An edit after which nothing could go out is refused while the campaign is live; dry it says so."""
    definition = {each: CAMPAIGN[each] for each in ("channel", "content", "enter")}
    worse = {**definition, "content": "ofer"}
    turn = "/v1/campaigns/upgrade/status"
    _, fine, live, refusal, read, _, dry = send(
        engine,
        put("content/offer", OFFER, key=True),
        put("campaigns/upgrade", definition, key=True),
        ("POST", turn, {"json": {"status": "live"}, "auth": SERVER}),
        put("campaigns/upgrade", worse, key=True),
        ("GET", "/v1/campaigns/upgrade", {"auth": SERVER}),
        ("POST", turn, {"json": {"status": "dry"}, "auth": SERVER}),
        put("campaigns/upgrade", worse, key=True),
    )
    assert (fine.json()["obstacles"], live.json()["status"]) == ([], "live")
    said = refused(refusal, 400, "campaign.cannot_send")
    assert "upgrade is live, and could not send like this" in said["message"]
    assert read.json()["definition"]["steps"][0]["content"] == "offer"
    (obstacle,) = dry.json()["obstacles"]
    assert obstacle["text"] == "There is no content 'ofer'."


def test_not_everybody_writes(engine: Engine) -> None:
    token = {"headers": {"authorization": f"Bearer {TOKENS['ann']}"}}
    analyst, turned = send(
        engine,
        put("content/offer", OFFER, "eve"),
        ("POST", "/v1/switch", {"json": {"scope": "all", "on": True}, **token}),
    )
    assert "role editor" in refused(analyst, 403, "auth.forbidden")["hint"]
    assert "role approver or admin" in refused(turned, 403, "auth.forbidden")["hint"]


@pytest.mark.parametrize(
    "changed",
    [{"approval": {"of": "each"}}, {"purpose": "transactional"}, {"channel": "webhook"}],
)
def test_who_writes_cannot_do_without_approval(engine: Engine, changed: dict[str, Any]) -> None:
    """An editor's own campaign would need nobody else, if they could take its approval away."""
    made, refusal, text, allowed = send(
        engine,
        put("campaigns/upgrade", CAMPAIGN, "ann"),
        put("campaigns/upgrade", {**CAMPAIGN, **changed}, "ann"),
        put("campaigns/upgrade", {**CAMPAIGN, "title": "New"}, "ann"),
        put("campaigns/upgrade", {**CAMPAIGN, **changed}, "dot"),
    )
    assert made.status_code == 200
    assert "role admin" in refused(refusal, 403, "auth.forbidden")["hint"]
    assert (text.status_code, allowed.status_code) == (200, 200)
