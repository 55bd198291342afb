"""A running server ranks with what was trained, and goes back, without a pause."""

from __future__ import annotations

import json
import time
from typing import Any

from germane.app.trained import TREES, encode
from germane.domain.forest import Forest, Trained, Tree
from germane.predict.features import COLUMN, LAYOUT
from germane.storage.blobs import FolderBlobs
from tests.acceptance.conftest import Server, germane

PATIENCE_S = 40


def asked(server: Server) -> dict[str, Any]:
    """One decision."""
    question = {"person": {"userId": "ann"}, "surfaces": [{"surface": "home-grid"}]}
    answer = server.api.post("/v1/decide", json=question)
    assert answer.status_code == 200, answer.text
    decision: dict[str, Any] = answer.json()["decisions"][0]
    return decision


def until(server: Server, trees: str) -> int:
    """Ask on and on until a decision is made by these trees (empty: by the blend alone); how often."""
    deadline, count = time.monotonic() + PATIENCE_S, 0
    while time.monotonic() < deadline:
        count += 1
        if asked(server)["modelVersion"].partition("+")[2] == trees:
            return count
        time.sleep(0.05)
    raise AssertionError(server.log.read_text()[-2_000:])


def test_swap_and_roll_back_while_serving(server: Server) -> None:
    """Each question in between is answered; `germane train` says what is missing meanwhile."""
    until(server, "")
    tree = Tree((COLUMN["own"],), (0.0,), (-1,), (-2,), (0.0,), (0.0, 9.0))
    what = Trained(f"{TREES}-1", {"": Forest(LAYOUT, (tree,))})
    blobs = FolderBlobs(server.data_dir / "models")
    blobs.put(TREES, f"{1:016d}", encode(what), {"version": what.version, "seq": 1})
    assert until(server, "trees-1") > 1
    place = ["--config", str(server.config), "--data", str(server.data_dir)]
    done = germane("train", "--json", *place)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["version"], report["heads"]["all items"]["promoted"]) == ("", False)
    back = germane("models", "rollback", *place)
    assert "the online blend alone" in back.stdout
    until(server, "")
