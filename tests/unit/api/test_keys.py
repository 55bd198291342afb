"""Keys that are made while serving: known by their hash alone, rotated, revoked, expired."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from germane.api.auth import Keys
from germane.api.server import build
from germane.app.keys import ApiKeys
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.app.trail import Trail
from germane.domain.key import PREFIX, Scope, key_hash
from germane.testing import FakeWorld, a_shop
from tests.unit.api.conftest import Here
from tests.unit.api.test_edge import EVENT, SERVER, refused

LOOK = ("GET", "/v1/surfaces")
DAY_S = 86_400


def make(here: Here, scope: Scope = "server", **more: Any) -> tuple[str, str]:
    """A key's id, and the key."""
    made, text = here.run(ApiKeys(here.engine).make(scope, by="test", **more))
    return made.key_id, text


def looks(here: Here, *keys: str) -> list[httpx.Response]:
    """What each of these keys is answered."""
    return here.send(*((*LOOK, {"auth": (each, "")}) for each in keys))


def test_a_key_is_shown_once_and_only_its_hash_is_kept(here: Here, tmp_path: Path) -> None:
    body = {"scope": "server", "name": "shop", "validSeconds": 90 * DAY_S}
    made, listed = here.send(
        ("POST", "/v1/keys", {"json": body, "auth": SERVER}),
        ("GET", "/v1/keys", {"auth": SERVER}),
    )
    said = made.json()
    text, key_id = said.pop("key"), said["keyId"]
    assert re.fullmatch(rf"gs_{key_id}_[\w-]{{32}}", text), "192 random bits after the id"
    assert listed.json() == {"keys": [said]}
    assert (said["name"], said["state"], said["lastUsed"]) == ("shop", "active", None)
    assert said["expires"][:10] == "2026-02-22"
    here.run(here.engine.durable())
    kept = b"".join(x.read_bytes() for x in (tmp_path / "data").rglob("*") if x.is_file())
    assert key_hash(text).encode() in kept
    assert text.encode() not in kept
    assert text.removeprefix(f"gs_{key_id}_").encode() not in kept


@pytest.mark.parametrize("scope", ["write", "server", "admin"])
def test_a_key_opens_what_its_scope_says(here: Here, scope: Scope) -> None:
    _, text = make(here, scope)
    assert text.startswith(PREFIX[scope])
    auth = {"auth": (text, "")}
    track, body, look, keys = here.send(
        ("POST", "/v1/track", {"json": EVENT, **auth}),
        ("POST", "/v1/track", {"json": {**EVENT, "writeKey": text}}),
        (*LOOK, auth),
        ("GET", "/v1/keys", auth),
    )
    assert (track.status_code, body.status_code) == (200, 200)
    assert look.status_code == (403 if scope == "write" else 200)
    # no admin key was made in the other two cases: but a made server key is never more than that
    assert keys.status_code == (200 if scope == "admin" else 403)


def test_the_configured_server_key_is_an_admin_key_until_there_is_one(here: Here) -> None:
    call = ("GET", "/v1/keys", {"auth": SERVER})
    assert here.send(call)[0].status_code == 200
    key_id, _ = make(here, "admin", valid_s=DAY_S)
    said = refused(here.send(call)[0], 403, "auth.forbidden")
    assert "GERMANE_ADMIN_KEY" in said["hint"]
    look, operators = here.send(
        (*LOOK, {"auth": SERVER}), ("PUT", "/v1/operators/eve", {"auth": SERVER})
    )
    assert (look.status_code, operators.status_code) == (200, 403)
    here.engine.world.advance(seconds=2 * DAY_S)  # type: ignore[attr-defined]
    assert here.send(call)[0].status_code == 403, "who only waits gains nothing"
    here.run(ApiKeys(here.engine).revoke(key_id, by="test"))
    assert here.send(call)[0].status_code == 200


def test_unknown_expired_and_revoked_keys_look_alike(here: Here, world: FakeWorld) -> None:
    """Nobody learns that a key once was one."""
    _, expired = make(here, valid_s=60)
    revoked_id, revoked = make(here)
    _, fine = make(here, valid_s=3_600)
    world.advance(seconds=60)
    here.run(ApiKeys(here.engine).revoke(revoked_id, by="test"))
    answers = looks(here, fine, "gs_0123456789_guessed", expired, revoked, "x", "")
    assert answers[0].status_code == 200
    told = [refused(each, 401, "auth.invalid_key") for each in answers[1:]]
    assert len({str({**each, "requestId": ""}) for each in told}) == 1
    track = [
        ("POST", "/v1/track", {"json": EVENT, "auth": (x, "")}) for x in (expired, revoked, "x")
    ]
    told = [refused(each, 401, "auth.invalid_key") for each in here.send(*track)]
    assert len({str({**each, "requestId": ""}) for each in told}) == 1


def test_a_rotated_key_goes_on_for_the_overlap(here: Here, world: FakeWorld) -> None:
    old_id, old = make(here, name="shop")
    path = f"/v1/keys/{old_id}/rotate"
    (made,) = here.send(("POST", path, {"json": {"overlapSeconds": 3_600}, "auth": SERVER}))
    new = made.json()["key"]
    assert (made.json()["scope"], made.json()["name"]) == ("server", "shop")
    assert [each.status_code for each in looks(here, old, new)] == [200, 200]
    world.advance(seconds=3_600)
    assert [each.status_code for each in looks(here, old, new)] == [401, 200]
    again, unknown, at_once = here.send(
        ("POST", path, {"auth": SERVER}),
        ("POST", "/v1/keys/none/rotate", {"auth": SERVER}),
        (
            "POST",
            f"/v1/keys/{made.json()['keyId']}/rotate",
            {"json": {"overlapSeconds": 0}, "auth": SERVER},
        ),
    )
    assert "is expired" in refused(again, 400, "key.invalid")["message"]
    refused(unknown, 404, "key.unknown")
    assert [x.status_code for x in looks(here, new, at_once.json()["key"])] == [401, 200]


def test_a_rotated_key_is_valid_for_as_long_as_the_one_before(here: Here) -> None:
    old_id, _ = make(here, valid_s=10 * DAY_S)
    here.engine.world.advance(seconds=9 * DAY_S)  # type: ignore[attr-defined]
    made, _ = here.run(ApiKeys(here.engine).rotate(old_id, overlap_s=7 * DAY_S, by="test"))
    old = ApiKeys(here.engine).named(old_id)
    assert made.expires_ms - made.made_ms == 10 * DAY_S * 1_000
    assert old.expires_ms - old.made_ms == 10 * DAY_S * 1_000, "an overlap makes nothing longer"


def test_a_key_is_rotated_once(here: Here) -> None:
    """In its overlap its successor is the one to rotate; without it, the family's time is kept."""
    keys = ApiKeys(here.engine)
    old_id, _ = make(here, valid_s=90 * DAY_S)
    second, _ = here.run(keys.rotate(old_id, overlap_s=DAY_S, by="test"))
    third, _ = here.run(keys.rotate(second.key_id, overlap_s=DAY_S, by="test"))
    assert third.expires_ms - third.made_ms == 90 * DAY_S * 1_000
    (again,) = here.send(("POST", f"/v1/keys/{old_id}/rotate", {"auth": SERVER}))
    told = refused(again, 400, "key.invalid")
    assert "was rotated already" in told["message"]
    assert f"germane keys rotate {third.key_id}" in told["hint"]
    here.run(keys.revoke(third.key_id, by="test"))
    fourth, _ = here.run(keys.rotate(old_id, overlap_s=DAY_S, by="test"))
    assert fourth.expires_ms - fourth.made_ms == 90 * DAY_S * 1_000, "not the overlap's"
    endless, _ = make(here)
    new, _ = here.run(keys.rotate(endless, overlap_s=DAY_S, by="test"))
    here.run(keys.revoke(new.key_id, by="test"))
    new, _ = here.run(keys.rotate(endless, overlap_s=DAY_S, by="test"))
    assert not new.expires_ms


def test_when_a_key_was_last_used_is_told_by_the_day(here: Here, world: FakeWorld) -> None:
    key_id, text = make(here)
    before = here.engine.seq
    looks(here, text, text, text)
    assert here.engine.seq == before + 1, "one note a day"
    assert ApiKeys(here.engine).named(key_id).used_day == world.now_ms() // (DAY_S * 1_000)
    (listed,) = here.send(("GET", "/v1/keys", {"auth": SERVER}))
    assert listed.json()["keys"][0]["lastUsed"] == "2025-11-24"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"scope": "all"},
        {"scope": "server", "validSeconds": 0},
        {"scope": "server", "validSeconds": 10**12},
        {"scope": "server", "name": "x" * 65},
        {"scope": "server", "name": "a\nb"},
    ],
)
def test_keys_that_cannot_be(here: Here, body: dict[str, Any]) -> None:
    (answer,) = here.send(("POST", "/v1/keys", {"json": body, "auth": SERVER}))
    assert answer.status_code == 400


def test_keys_survive_a_restart_and_a_rebuild(tmp_path: Path, world: FakeWorld) -> None:
    """Law 7: the same keys, and the same audit log, out of the log alone."""
    engine = open_engine(a_shop(), tmp_path / "data", world=world)
    here = Here(engine)
    _, text = make(here, "admin")
    looks(here, text, "wrong")
    here.send(("POST", "/v1/keys", {"json": {"scope": "write"}, "auth": (text, "")}))
    here.close()
    known = ApiKeys(engine).all()
    assert len(known) == 2
    assert rebuild(engine).equal
    engine.store.close()
    engine = open_engine(a_shop(), tmp_path / "data", world=world)
    here = Here(engine)
    assert ApiKeys(engine).all() == known
    assert looks(here, text)[0].status_code == 200
    proof = here.run(Trail(engine).proven())
    assert (proof.whole, proof.entries) == (True, 2)
    here.close()
    engine.store.close()


def test_a_browser_may_use_a_key_that_was_made(here: Here) -> None:
    """A made write key opens browser routes like the configured one, and only with a token."""
    key_id, text = make(here, "write")
    call = ("POST", "/v1/decide", {"json": {"surfaces": []}, "auth": (text, "")})
    (said,) = here.send(call)
    refused(said, 403, "auth.token_needed")
    settings = ("GET", f"/v1/projects/{text}/settings", {})
    assert here.send(settings)[0].status_code == 200
    here.run(ApiKeys(here.engine).revoke(key_id, by="test"))
    again, gone = here.send(call, settings)
    refused(again, 401, "auth.invalid_key")
    refused(gone, 401, "auth.invalid_key")


def test_an_empty_configured_key_opens_nothing(here: Here) -> None:
    """Without a key in the configuration nobody gets in without one."""
    app = build(here.engine, Keys("", ""), access_log=False)

    async def ask() -> list[int]:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            return [
                (await client.get("/v1/surfaces", auth=auth)).status_code
                for auth in (None, ("", ""), (" ", ""))
            ]

    assert here.run(ask()) == [401, 401, 401]
