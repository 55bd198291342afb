"""Through the real server and the command line: visits come in, the best hours come out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from tests.acceptance.conftest import Server, germane

NOW = datetime.now(UTC)


def visits(server: Server, user: str, hour: int, days: int) -> None:
    """A page a day at a fixed local hour in Berlin's winter or summer, by the batch route."""
    batch = [
        {
            "type": "page",
            "userId": user,
            "name": "Home",
            "messageId": f"{user}-{day}",
            "timestamp": (NOW - timedelta(days=day)).strftime(f"%Y-%m-%dT{hour:02d}:20:00Z"),
            "context": {"timezone": "Etc/GMT-1"},
        }
        for day in range(1, days + 1)
    ]
    answer = server.api.post("/v1/batch", json={"batch": batch})
    assert answer.status_code == 200, answer.text


def test_the_best_hours_of_a_person(server: Server) -> None:
    """Their own where known, everyone's where not, and the same on the page, the route and in the shell."""
    for number in range(10):
        visits(server, f"early{number}", 7, 12)
    visits(server, "owl", 21, 60)
    visits(server, "new", 3, 1)
    owl = server.api.get("/v1/people/owl/moment", params={"hours": 48, "top": 2}).json()
    assert owl["timezone"] == "Etc/GMT-1"
    assert len(owl["best"]) == 2
    assert owl["best"][0]["hour"].endswith("22:00")  # 21:20 UTC, an hour ahead
    assert owl["best"][0]["at"][11:] == "21:00:00.000Z"
    assert NOW < datetime.fromisoformat(owl["best"][0]["at"]) < NOW + timedelta(hours=49)
    assert owl["best"][0]["reasons"][0]["code"] == "own_hours"
    assert owl["evidence"]["activeHours"] == 60
    new = server.api.get("/v1/people/new/moment").json()
    assert new["best"][0]["hour"].endswith("08:00")
    assert new["meaning"].startswith("Not enough is known yet")
    assert server.person("owl")["rhythm"]["best"][0]["hour"].endswith("22:00")
    folder = server.folder
    said = germane(
        "moment",
        "owl",
        "--hours",
        "48",
        "--json",
        cwd=folder,
        GERMANE_SERVER__PORT=str(server.port),
        GERMANE_SERVER_KEY=server.server_key,
    )
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["best"][0]["at"] == owl["best"][0]["at"]
    server.stop()
    shown = germane("moment", "owl", cwd=folder)
    assert shown.returncode == 0, shown.stderr
    assert "mostly this person's own hours" in shown.stdout
    assert "22:00" in shown.stdout
    unknown = germane("moment", "nobody", cwd=folder)
    assert unknown.returncode == 1
    assert "Nothing is known about 'nobody'" in unknown.stderr


def test_wrong_questions(shared_server: Server) -> None:
    """A person nobody knows, and windows that make no sense, in the one error shape."""
    api = shared_server.api
    assert api.get("/v1/people/nobody/moment").json()["code"] == "profile.unknown_person"
    for query in ("hours=0", "hours=337", "hours=x", "top=0", "top=-1"):
        answer = api.get(f"/v1/people/nobody/moment?{query}")
        assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid"), query
    assert "from 1 to 336" in api.get("/v1/people/n/moment?hours=0").json()["message"]
    assert api.get("/v1/people/n/moment", auth=(shared_server.write_key, "")).status_code == 403
