"""An offer that waits for a person: made by a real server, shown, changed, approved and rejected over HTTP
and on the command line, beside the server and without it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import SERVER_KEY, Server, a_project, germane

OFFER = {
    "channel": "inapp",
    "form": "banner",
    "slots": [
        {
            "name": "opening",
            "kind": "text",
            "required": True,
            "variants": [{"id": "one", "texts": {"en": {"text": "Audit logging for your team."}}}],
        }
    ],
}
CAMPAIGN = {
    "channel": "inapp",
    "content": "offer",
    "purpose": "transactional",
    "enter": {"event": "Limit Reached"},
    "approval": {"approvers": ["role:approver"], "quorum": 2, "expires_after": "2d"},
}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """With operators, a live campaign, and an offer that waits."""
    folder = a_project(tmp_path / "shop")
    opened = Server(folder).start()
    yield opened
    opened.close()


def command(server: Server, *arguments: str) -> tuple[int, Any]:
    """The exit code, and what was said: JSON, or the error."""
    done = germane(
        *arguments,
        "--json",
        cwd=server.folder,
        GERMANE_SERVER__PORT=str(server.port),
        GERMANE_SERVER_KEY=SERVER_KEY,
        GERMANE_WRITE_KEY=server.write_key,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def appointed(server: Server, name: str, role: str) -> httpx.Client:
    """A client with somebody's token."""
    code, made = command(server, "operator", "add", name, "--role", role)
    assert (code, made["token"][:4]) == (0, "gop_"), made
    token = {"authorization": f"Bearer {made['token']}"}
    return httpx.Client(base_url=server.url, headers=token, timeout=30)


def an_offer(server: Server, user: str) -> dict[str, Any]:
    """One that waits."""
    event = {"event": "Limit Reached", "userId": user}
    assert server.api.post("/v1/track", json=event).status_code == 200
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        waiting = server.api.get("/v1/approvals?status=pending").json()["approvals"]
        for each in waiting:
            if each["personId"] == f"u:{user}":
                found: dict[str, Any] = each
                return found
        time.sleep(0.1)
    raise AssertionError(server.log.read_text())


def status(server: Server, approval: str) -> str:
    """How the message stands."""
    found = server.api.get(f"/v1/approvals/{approval}").json()
    said: str = found["message"]["status"]
    return said


def test_an_offer_waits_for_people(server: Server) -> None:
    ann, bob = appointed(server, "ann", "approver"), appointed(server, "bob", "approver")
    cem, eve = appointed(server, "cem", "editor"), appointed(server, "eve", "analyst")
    assert server.api.put("/v1/content/offer", json=OFFER).status_code == 200
    put = server.api.put("/v1/campaigns/upgrade", json=CAMPAIGN)
    assert put.status_code == 200, put.text
    wrong = {**CAMPAIGN, "approval": {"quorums": 2}}
    assert "Did you mean 'quorum'?" in server.api.put("/v1/campaigns/upgrade", json=wrong).text
    live = server.api.post("/v1/campaigns/upgrade/status", json={"status": "live"})
    assert live.status_code == 200, live.text

    waits = an_offer(server, "acme-admin")
    one, digest = f"/v1/approvals/{waits['approvalId']}", waits["digest"]
    closed = eve.get(one)
    assert (closed.status_code, closed.json()["code"]) == (403, "auth.forbidden"), (
        "it is of a person"
    )
    seen = cem.get(one).json()
    assert seen["content"]["payload"], seen
    assert seen["person"]["personId"] == "u:acme-admin"
    assert seen["demanded"][0] | {} == seen["demanded"][0]
    assert (seen["demanded"][0]["quorum"], seen["demanded"][0]["missing"]) == (2, 2)
    body = {"digest": digest}
    refused = cem.post(f"{one}/approve", json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "approval.not_allowed")
    nobody = server.api.post(f"{one}/approve", json=body)
    assert (nobody.status_code, nobody.json()["code"]) == (403, "approval.no_operator")
    stranger = httpx.get(server.url + one, headers={"authorization": "Bearer gop_guessed"})
    assert stranger.status_code == 401
    assert ann.post(f"{one}/approve", json=body).json()["status"] == "pending"
    assert ann.post(f"{one}/approve", json=body).json()["status"] == "pending", (
        "nobody counts twice"
    )

    payload = seen["content"]["payload"]
    edited = cem.post(f"{one}/edit", json={"digest": digest, "payload": {**payload, "note": "!"}})
    assert edited.status_code == 200, edited.text
    stale = bob.post(f"{one}/approve", json=body)
    assert (stale.status_code, stale.json()["code"]) == (409, "approval.stale")
    fresh = {"digest": edited.json()["digest"]}
    assert bob.post(f"{one}/approve", json=fresh).json()["status"] == "pending"
    assert status(server, waits["approvalId"]) == "approval", "ann approved another text"
    assert ann.post(f"{one}/approve", json=fresh).json()["status"] == "approved"
    assert status(server, waits["approvalId"]) in ("queued", "claimed", "sent")

    no = an_offer(server, "other")
    two = f"/v1/approvals/{no['approvalId']}"
    why = bob.post(f"{two}/reject", json={"digest": no["digest"]})
    assert (why.status_code, why.json()["code"]) == (400, "approval.reason_needed")
    done = bob.post(
        f"{two}/reject", json={"digest": no["digest"], "reason": "Their renewal is near."}
    )
    assert done.json()["status"] == "rejected"
    closed = ann.post(f"{two}/approve", json={"digest": no["digest"]})
    assert (closed.status_code, closed.json()["code"]) == (409, "approval.closed")
    assert status(server, no["approvalId"]) == "cancelled"
    stats = ann.get("/v1/approvals/stats").json()["campaigns"][0]
    assert stats["reasons"] == [{"reason": "Their renewal is near.", "count": 1}]
    assert (stats["edited"], stats["statuses"]) == (1, {"approved": 1, "rejected": 1})
    assert ann.get("/v1/approvals?status=odd").status_code == 400
    assert ann.get("/v1/approvals/gone").status_code == 404

    third, fourth = an_offer(server, "third"), an_offer(server, "fourth")
    on_the_command_line(server, third["approvalId"], fourth["approvalId"])
    gone = server.api.post("/v1/operators/bob/disable")
    assert gone.json()["disabled"] is True
    assert bob.get("/v1/approvals").status_code == 401
    assert ann.put("/v1/operators/mallory", json={"roles": ["admin"]}).status_code == 403
    for client in (ann, bob, cem, eve):
        client.close()


def on_the_command_line(server: Server, third: str, fourth: str) -> None:
    """Beside the server, and on the data folder alone; each act says in whose name it was."""
    unread = command(server, "approvals", "approve", third, "--as", "ann")
    assert unread[0] == 2, unread
    assert "has not looked at it" in unread[1]
    assert command(server, "approvals", "show", third, "--as", "ann")[0] == 0
    assert command(server, "approvals", "approve", third, "--as", "ann") == (
        0,
        {"done": 1, "failed": {}},
    )
    server.stop()
    found = command(server, "approvals", "list")[1]
    assert [each["approvalId"] for each in found] == sorted([third, fourth])
    assert command(server, "approvals", "show", third, "--as", "bob")[0] == 0
    assert command(server, "approvals", "approve", third, "--as", "bob")[0] == 0
    verdicts = command(server, "approvals", "show", third)[1]["verdicts"]
    said = [(each["operator"], each["how"]) for each in verdicts]
    assert said == [("ann", "server key"), ("bob", "command line")]
    nobody = command(server, "approvals", "reject", fourth, "--as", "nobody", "--reason", "No.")
    assert nobody[0] == 1
    assert "There is no operator 'nobody'" in nobody[1]
    assert command(server, "approvals", "reject", fourth, "--as", "bob", "--reason", "No.")[0] == 0
    code, stats = command(server, "approvals", "stats", "--campaign", "upgrade")
    assert (code, stats[0]["statuses"]) == (0, {"approved": 2, "rejected": 2})
    names = [each["name"] for each in command(server, "operator", "list")[1]]
    assert names == ["ann", "bob", "cem", "eve"]
    assert command(server, "rebuild")[1]["equal"] is True
    server.start()
    assert status(server, third) in ("queued", "claimed", "sent")


def test_one_slot_is_said_otherwise(server: Server) -> None:
    """Over HTTP, beside the server and without it; what stands in the slots is shown."""
    cem = appointed(server, "cem", "editor")
    assert server.api.put("/v1/content/offer", json=OFFER).status_code == 200
    assert server.api.put("/v1/campaigns/upgrade", json=CAMPAIGN).status_code == 200
    turn = {"status": "live"}
    for name in ("ann", "bob"):
        refused = server.api.post("/v1/campaigns/upgrade/status", json=turn)
        assert (refused.status_code, refused.json()["code"]) == (400, "campaign.cannot_send")
        appointed(server, name, "approver").close()
    live = server.api.post("/v1/campaigns/upgrade/status", json={"status": "live"})
    assert live.status_code == 200, live.text
    waits = an_offer(server, "acme-admin")
    name = waits["approvalId"]
    (slot,) = cem.get(f"/v1/approvals/{name}").json()["slots"]
    assert (slot["name"], slot["fields"]["text"]) == ("opening", "Audit logging for your team.")

    wrong = {"digest": waits["digest"], "slots": {"opening": {"url": "https://x.example"}}}
    refused = cem.post(f"/v1/approvals/{name}/edit", json=wrong)
    assert (refused.status_code, refused.json()["code"]) == (400, "approval.bad_edit")
    said = {"digest": waits["digest"], "slots": {"opening": {"text": "Hello, admins."}}}
    edited = cem.post(f"/v1/approvals/{name}/edit", json=said).json()
    assert edited["content"]["payload"]["blocks"][0]["text"] == "Hello, admins."
    assert (edited["slots"][0]["changed"], edited["changedBy"]) == (True, "cem")

    edit = ("approvals", "edit", name, "--as", "cem", "--slot")
    code, beside = command(server, *edit, "opening=Hello again.")
    assert (code, beside["content"]["payload"]["blocks"][0]["text"]) == (0, "Hello again.")
    assert command(server, *edit, "opening")[0] == 2
    server.stop()
    code, alone = command(server, *edit, "opening.text=Hello = hi.")
    assert (code, alone["content"]["payload"]["blocks"][0]["text"]) == (0, "Hello = hi.")
    assert command(server, "rebuild")[1]["equal"] is True
    cem.close()
