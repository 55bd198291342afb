"""Somebody asks what is stored of them, and that it goes: on a server that goes on, and after its restart."""

from __future__ import annotations

import json

from tests.acceptance.conftest import Server, germane
from tests.acceptance.test_loop import decide, track

WORD = "canary-of-ann"


def files(server: Server) -> bytes:
    """Every byte of the data folder, and of the log."""
    found = [each.read_bytes() for each in server.data_dir.rglob("*") if each.is_file()]
    return b"".join([*found, server.log.read_bytes()])


def test_everything_and_then_nothing(server: Server) -> None:
    """The page, the file, the erasure by command beside the server, and the restart that folds anew."""
    for user in (WORD, "bob"):
        track(server, user, "Product Viewed", product_id="bike-2", note=f"note of {user}")
        decide(server, user)
    where = ("--config", str(server.config), "--data", str(server.data_dir))
    export = json.loads(germane("export", "--person", WORD, "--json", *where).stdout)
    assert (len(export["events"]), len(export["decisions"])) == (1, 1)
    page = server.api.get(f"/v1/people/{WORD}/export", headers={"Accept": "text/html"})
    assert f"note of {WORD}" in page.text
    assert WORD.encode() in files(server)
    there = {"GERMANE_SERVER__PORT": str(server.port), "GERMANE_SERVER_KEY": server.server_key}
    there["GERMANE_WRITE_KEY"] = server.write_key
    receipt = germane("erase", WORD, "--yes", "--json", *where, **there).stdout
    told = json.loads(receipt)
    assert (told["removed"]["events"], told["removed"]["decisions"]) == (1, 1)
    assert told["sharedModel"]["rebuilt"] == "in the background"
    assert WORD.encode() not in files(server)
    assert server.api.get(f"/v1/people/{WORD}").status_code == 404
    assert server.person("bob")["recent"]
    decide(server, "bob")
    assert server.stop() == 0
    file = server.data_dir.parent / "receipt.json"
    file.write_text(receipt)
    assert "Genuine" in germane("erase", "--verify", str(file), *where).stdout
    assert json.loads(germane("rebuild", *where, "--json").stdout)["equal"] is True
    assert WORD.encode() not in files(server)
    assert b"note of bob" in files(server)
