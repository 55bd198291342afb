"""`germane dead-letters replay` with the server running, and with it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.acceptance.conftest import SERVER_KEY, Server, a_project, germane

LARGE = {
    "type": "track",
    "event": "Product Viewed",
    "messageId": "large-1",
    "properties": {"product_id": "toy-1", "note": "x" * 40_000},
}


def replay(server: Server, *arguments: str, at: int = 0) -> tuple[int, dict[str, Any]]:
    """The exit code and what was said."""
    return letters(server, "replay", *arguments, at=at)


def letters(server: Server, *arguments: str, at: int = 0) -> tuple[int, dict[str, Any]]:
    """The same of any command."""
    done = germane(
        *("dead-letters", *arguments, "--json"),
        cwd=server.folder,
        GERMANE_SERVER__PORT=str(at or server.port),
        GERMANE_SERVER_KEY=SERVER_KEY,
        GERMANE_WRITE_KEY=server.write_key,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout) if done.stdout else {"said": done.stderr}


def test_replay_beside_a_server(tmp_path: Path) -> None:
    """The server does it: it knows the person at once, and nobody has to stop it."""
    server = Server(a_project(tmp_path / "shop")).start()
    try:
        batch = {"batch": [LARGE | {"userId": "ann"}, {"type": "track", "userId": "bob"}]}
        assert server.api.post("/v1/batch", json=batch).status_code == 200
        first, second = sorted(each["letterId"] for each in server.letters())
        assert server.api.post("/v1/dead-letters/77/replay").status_code == 404
        for wrong in ({"letterIds": []}, {"letterIds": [0]}, {"letterIds": ["1"]}, {}):
            assert server.api.post("/v1/dead-letters/replay", json=wrong).status_code == 400
        code, found = replay(server, str(first), "77")
        assert (code, found["replayed"]) == (1, 1)
        assert found["failed"] == {"77": "there is no such dead letter"}
        assert server.person("ann")["readiness"]["evidence"] > 0
        assert [each["letterId"] for each in server.letters()] == [second]
        code, found = replay(server)  # the one that waits
        assert (code, list(found["failed"])) == (1, [str(second)])
        code, found = replay(server, str(first))
        assert found["failed"] == {str(first): "it was replayed already"}
        code, found = replay(server, str(first), at=1)  # the data folder says where the server is
        assert found["failed"] == {str(first): "it was replayed already"}
        assert letters(server, "dismiss")[0] == 2, "which?"
        code, found = letters(server, "dismiss", str(second), "77")
        assert (code, found["dismissed"]) == (1, 1)
        assert found["failed"] == {"77": "there is no such dead letter"}
        assert server.letters() == []
        assert letters(server, "dismiss", "--all")[1] == {"dismissed": 0, "failed": {}}
        server.stop()
        assert replay(server, str(second))[0] == 1
    finally:
        server.close()
