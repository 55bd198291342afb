"""Who did what: entered as it is done, told without anybody's id, proven to be whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from germane.api.guard import REFUSALS_EVERY_MS
from germane.app.demanding import of_campaign
from germane.app.keys import ApiKeys
from germane.app.operators import Operators
from germane.domain.approval import ApprovalPolicy
from germane.testing import FakeWorld
from tests.unit.api.conftest import Call, Here
from tests.unit.api.test_edge import ASK, EVENT, SERVER, WRITE, refused

AUDIT = ("GET", "/v1/audit", {"auth": SERVER})
Told = tuple[str | None, str, str | None, int]


def entries(here: Here, **query: Any) -> list[dict[str, Any]]:
    """The audit log, the oldest first."""
    (answer,) = here.send(("GET", "/v1/audit", {"auth": SERVER, "params": query}))
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["entries"]
    return found[::-1]


def told(here: Here) -> list[Told]:
    """Of each entry who, what, to what, with what end."""
    return [(x["actor"], x["act"], x["target"], x["status"]) for x in entries(here)]


def test_changes_are_told_with_who_made_them(here: Here) -> None:
    _, token = here.run(Operators(here.engine).add("ann", ["editor"], by="test"))
    made, key = here.run(ApiKeys(here.engine).make("server", by="test"))
    ann, item = {"authorization": f"Bearer {token}"}, {"title": "Coat"}
    here.send(
        ("PUT", "/v1/items/i1", {"json": item, "auth": SERVER}),
        ("PUT", "/v1/items/i2", {"json": item, "auth": (key, "")}),
        ("PUT", "/v1/items/i3", {"json": item, "headers": ann}),
        ("DELETE", "/v1/items/none", {"auth": (key, ""), "headers": {"germane-operator": "ann"}}),
        ("PUT", "/v1/items/i4", {"content": b"{", "auth": SERVER}),
        ("GET", "/v1/items/i1", {"headers": ann}),
        ("POST", "/v1/keys", {"json": {"scope": "write"}, "auth": SERVER}),
    )
    write = next(each for each in ApiKeys(here.engine).all() if each.scope == "write")
    assert told(here) == [
        ("server key", "PUT /v1/items/{item_id}", "i1", 200),
        (f"key {made.key_id}", "PUT /v1/items/{item_id}", "i2", 200),
        ("operator ann", "PUT /v1/items/{item_id}", "i3", 200),
        (f"operator ann by key {made.key_id}", "DELETE /v1/items/{item_id}", "none", 404),
        ("server key", "PUT /v1/items/{item_id}", "i4", 400),
        ("server key", "POST /v1/keys", write.key_id, 200),
    ]


def test_traffic_is_not_audited(here: Here) -> None:
    here.send(
        ("POST", "/v1/track", {"json": EVENT, "auth": WRITE}),
        ("POST", "/v1/decide", {"json": ASK, "auth": SERVER}),
        ("GET", "/v1/surfaces", {"auth": SERVER}),
        ("GET", "/livez", {}),
        AUDIT,
    )
    assert told(here) == []


def test_looks_at_people_are_told_without_their_ids(here: Here, tmp_path: Path) -> None:
    """By a pseudonym that their id finds, and that leads to no id: also where a body names them."""
    name = "maria-sensitive"
    said = {"userId": name, "purpose": "email_marketing", "state": "granted"}
    here.send(
        ("POST", "/v1/consent", {"json": said, "auth": SERVER}),
        ("GET", f"/v1/people/{name}", {"auth": SERVER}),
        ("GET", f"/v1/people/u:{name}/moment", {"auth": SERVER}),
        ("GET", "/v1/messages", {"auth": SERVER, "params": {"person": name}}),
        ("GET", "/v1/people/somebody-else", {"auth": SERVER}),
    )
    mine, other = entries(here, person=name), entries(here, person="somebody-else")
    assert [each["act"] for each in mine] == [
        "POST /v1/consent",
        "GET /v1/people/{person_id}",
        "GET /v1/people/{person_id}/moment",
        "GET /v1/messages",
    ]
    assert (len(other), other[0]["status"]) == (1, 404)
    assert entries(here, person="u:somebody-else") == other, "also before and after they are known"
    assert entries(here, person="a:somebody-else") == []
    page = here.engine.entries.page(here.engine.tenant, "audit")
    assert len(page) == 5
    assert all(name.encode() not in each.body and each.person == "" for each in page)
    here.run(here.engine.durable())
    logged = [x for x in here.engine.store.read(0) if b"Audited" in x.body]
    assert len(logged) == 5
    assert all(name.encode() not in x.body and x.person == "" for x in logged)


def test_no_message_can_be_found_by_trying(here: Here) -> None:
    """Its id, which is its approval's, is made of a time and of whom it is to; that of a campaign is told."""
    asked = of_campaign("weekly", "1", {"hello": "1"}, [ApprovalPolicy()])
    message, campaign = f"018c{'a1' * 12}", asked.approval_id
    here.engine.put_moves([asked])
    _, token = here.run(Operators(here.engine).add("ann", ["approver"], by="test"))
    ann = {"headers": {"authorization": f"Bearer {token}"}, "json": {"digest": "0" * 64}}
    here.send(
        ("GET", f"/v1/messages/{message}", {"auth": SERVER}),
        ("POST", f"/v1/messages/{message}/cancel", {"json": {"reason": "x"}, "auth": SERVER}),
        ("POST", f"/v1/approvals/{message}/approve", ann),
        ("GET", f"/v1/messages/{message[::-1]}", {"auth": SERVER}),
        ("POST", f"/v1/approvals/{campaign}/approve", ann),
    )
    targets = [each["target"] for each in entries(here)]
    assert targets[0].startswith("message ")
    assert len({*targets[:3]}) == 1
    assert targets[3] not in (targets[0], message[::-1])
    assert targets[4] == campaign
    page = here.engine.entries.page(here.engine.tenant, "audit")
    assert all(message.encode() not in each.body for each in page)


def test_failed_logins_are_counted_and_told_now_and_then(here: Here, world: FakeWorld) -> None:
    """A flood of wrong keys does not flood the audit log, and no key that was tried is in it."""
    look, wrong = ("GET", "/v1/surfaces"), ("gs_secret_guess", "")
    here.send(*[(*look, {"auth": wrong})] * 50, (*look, {"auth": WRITE}))
    here.send(("POST", "/v1/track", {"json": EVENT, "auth": wrong}))
    assert told(here) == [
        (None, "GET /v1/surfaces", None, 401),
        ("write key", "GET /v1/surfaces", None, 403),
        (None, "POST /v1/track", None, 401),
    ]
    assert here.engine.counters.callers_refused == 52
    (metrics,) = here.send(("GET", "/metrics", {}))
    assert "germane_callers_refused_total 52.0" in metrics.text
    assert all(
        b"secret_guess" not in x.body for x in here.engine.entries.page(here.engine.tenant, "audit")
    )


def test_what_was_not_told_is_counted_with_the_next(here: Here, world: FakeWorld) -> None:
    look: Call = ("GET", "/v1/surfaces", {})
    here.send(*[look] * 5)
    world.advance(seconds=REFUSALS_EVERY_MS / 1_000)
    here.send(look)
    assert [each["count"] for each in entries(here)] == [1, 5]


def test_pages_and_times(here: Here, world: FakeWorld) -> None:
    put = ("POST", "/v1/switch", {"json": {"scope": "all", "on": True}, "auth": SERVER})
    here.send(put, put)
    world.advance(days=2)
    here.send(put)
    first, wrong, late = here.send(
        ("GET", "/v1/audit", {"auth": SERVER, "params": {"limit": 2}}),
        ("GET", "/v1/audit", {"auth": SERVER, "params": {"since": "yesterday"}}),
        ("GET", "/v1/audit", {"auth": SERVER, "params": {"since": "2025-11-26T00:00:00Z"}}),
    )
    assert ([each["place"] for each in first.json()["entries"]], first.json()["next"]) == (
        [3, 2],
        2,
    )
    assert [each["place"] for each in entries(here, before=2)] == [1]
    refused(wrong, 400, "request.invalid")
    assert [each["place"] for each in late.json()["entries"]] == [3]


def test_the_chain_is_proven_over_http(here: Here) -> None:
    put = ("POST", "/v1/switch", {"json": {"scope": "all", "on": True}, "auth": SERVER})
    path = "/v1/audit/verification"
    empty, _, _, whole = here.send(
        ("GET", path, {"auth": SERVER}), put, put, ("GET", path, {"auth": SERVER})
    )
    assert empty.json()["whole"] is True
    said = whole.json()
    assert (said["whole"], said["entries"], said["broken"], said["known"]) == (True, 2, None, None)
    noted, unknown, wrong = here.send(
        ("GET", path, {"auth": SERVER, "params": {"head": said["head"]}}),
        ("GET", path, {"auth": SERVER, "params": {"head": "00" * 31 + "01"}}),
        ("GET", path, {"auth": SERVER, "params": {"head": "abc"}}),
    )
    assert (noted.json()["whole"], noted.json()["known"]) == (True, True)
    assert (unknown.json()["whole"], unknown.json()["known"]) == (False, False)
    refused(wrong, 400, "request.invalid")


@pytest.mark.parametrize("path", ["/v1/audit", "/v1/audit/verification"])
def test_a_server_key_does_not_read_it_once_there_is_an_admin_key(here: Here, path: str) -> None:
    _, admin = here.run(ApiKeys(here.engine).make("admin", by="test"))
    mine, server = here.send(("GET", path, {"auth": (admin, "")}), ("GET", path, {"auth": SERVER}))
    assert mine.status_code == 200
    refused(server, 403, "auth.forbidden")


def test_who_is_erased_is_not_in_it_and_can_still_be_asked_for(here: Here) -> None:
    """The look before, the erasure and the look after have one pseudonym."""
    name = "maria-sensitive"
    path = f"/v1/people/{name}"
    answers = here.send(
        ("POST", "/v1/track", {"json": {**EVENT, "userId": name}, "auth": WRITE}),
        ("GET", path, {"auth": SERVER}),
        ("DELETE", path, {"auth": SERVER}),
        ("GET", path, {"auth": SERVER}),
    )
    assert [each.status_code for each in answers] == [200, 200, 200, 404]
    acts = [(each["act"][:6], each["status"]) for each in entries(here, person=name)]
    assert acts == [("GET /v", 200), ("DELETE", 200), ("GET /v", 404)]
    page = here.engine.entries.page(here.engine.tenant, "audit")
    assert all(name.encode() not in each.body for each in page)


def test_looks_from_before_somebody_had_a_name_are_found_by_it(here: Here) -> None:
    """By every id that led to them; and of a device that is somebody else's by now, only their time."""

    def signed_in(user: str) -> None:
        said = {"userId": user, "anonymousId": "x"}
        here.send(("POST", "/v1/identify", {"json": said, "auth": WRITE}))

    def look(person: str) -> None:
        here.send(("GET", f"/v1/people/{person}", {"auth": SERVER}))

    visitor = EVENT | {"userId": None, "anonymousId": "x"}
    here.send(("POST", "/v1/track", {"json": visitor, "auth": WRITE}))
    look("a:x")
    signed_in("old")
    look("old")
    alias = {"userId": "new", "previousId": "old"}
    here.send(("POST", "/v1/alias", {"json": alias, "auth": WRITE}))
    look("new")
    signed_in("bob")
    look("bob")
    assert len(entries(here, person="new")) == 3
    assert entries(here, person="old") == entries(here, person="new")
    assert len(entries(here, person="bob")) == 1
