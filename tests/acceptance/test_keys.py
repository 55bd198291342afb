"""Keys and the audit log with a real server: made while it serves, good after a kill, proven beside it."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.acceptance.conftest import Server, germane


def command(server: Server, *arguments: str, **environment: str) -> tuple[int, str]:
    """A command beside the server that has the data folder; exit code and what it said."""
    where = ["--config", str(server.config), "--data", str(server.data_dir)]
    keys = {"GERMANE_SERVER_KEY": server.server_key, "GERMANE_SERVER__PORT": str(server.port)}
    done = germane(*arguments, *where, **{**keys, **environment})
    return done.returncode, done.stdout + done.stderr


def made(server: Server, *arguments: str, **environment: str) -> dict[str, Any]:
    """What a command that makes a key printed."""
    code, text = command(server, "keys", *arguments, "--json", **environment)
    assert code == 0, text
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_life_of_keys_beside_a_server(server: Server) -> None:
    admin = made(server, "make", "--scope", "admin", "--expires", "90d")
    code, text = command(server, "operator", "add", "ann", "--role", "analyst")
    assert code == 1
    assert "there is an admin key" in text
    assert "GERMANE_ADMIN_KEY" in text, "the error says the remedy"
    mine = {"GERMANE_ADMIN_KEY": admin["key"]}
    code, text = command(server, "operator", "add", "ann", "--role", "analyst", "--json", **mine)
    assert code == 0, text
    token = json.loads(text)["token"]
    key = made(server, "make", "--scope", "server", **mine)

    def status(path: str, given: str) -> int:
        return httpx.get(server.url + path, auth=(given, "")).status_code

    assert (status("/v1/surfaces", key["key"]), status("/v1/keys", key["key"])) == (200, 403)
    bearer = {"authorization": f"Bearer {token}"}
    told = [
        httpx.get(server.url + path, headers=bearer).status_code
        for path in ("/v1/campaigns", "/v1/people/u", "/v1/audit")
    ]
    assert told == [200, 403, 403]
    made(server, "make", "--scope", "write", **mine)  # what was entered before is durable with it

    server.kill()
    server.start()
    assert status("/v1/surfaces", key["key"]) == 200, "what was acknowledged is durable"
    new = made(server, "rotate", key["keyId"], "--overlap", "0s", **mine)
    assert (status("/v1/surfaces", key["key"]), status("/v1/surfaces", new["key"])) == (401, 200)
    assert command(server, "keys", "revoke", new["keyId"], **mine)[0] == 0
    assert status("/v1/surfaces", new["key"]) == 401

    code, text = command(server, "audit", "--json")
    assert code == 0, text
    acts = [(each["actor"], each["act"], each["status"]) for each in json.loads(text)][::-1]
    mine_too = f"key {admin['keyId']}"
    assert acts == [
        ("server key", "POST /v1/keys", 200),
        ("server key", "PUT /v1/operators/{name}", 403),
        (mine_too, "PUT /v1/operators/{name}", 200),
        (mine_too, "POST /v1/keys", 200),
        (f"key {key['keyId']}", "GET /v1/keys", 403),
        ("operator ann", "GET /v1/people/{person_id}", 403),
        ("operator ann", "GET /v1/audit", 403),
        (mine_too, "POST /v1/keys", 200),
        (mine_too, "POST /v1/keys/{key_id}/rotate", 200),
        (None, "GET /v1/surfaces", 401),
        (mine_too, "POST /v1/keys/{key_id}/revoke", 200),
    ], "one refusal of a kind in a minute"
    code, text = command(server, "audit", "--verify")
    assert (code, "Whole: 11 entries" in text) == (0, True), text
    assert server.stop() == 0
    code, text = command(server, "audit", "--verify")
    assert (code, "Whole: 11 entries" in text) == (0, True), text
