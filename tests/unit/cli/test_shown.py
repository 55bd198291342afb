"""What a person was shown and what it was credited with: in `germane person`, and exported."""

from __future__ import annotations

import asyncio
import json
from importlib.resources import files
from pathlib import Path

import pytest

from germane.app import open_engine
from germane.cli import asking, common, exporting
from germane.domain.decision import Ask
from germane.domain.errors import WrongUse
from germane.domain.outcome import Impression, Outcome
from germane.testing import an_item


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A project in which u1 saw two slates, and answered one of them; the second answer came twice."""
    path = tmp_path / "germane.toml"
    path.write_text(files("germane.recipes").joinpath("shop/germane.toml").read_text("utf-8"))
    (tmp_path / ".env").write_text("GERMANE_SERVER_KEY=secret\n")
    engine = open_engine(common.load(path).settings, tmp_path / "germane-data")
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(30)])

    async def act() -> None:
        await engine.start()
        for n in range(2):
            (made,), _ = engine.decide("u1", "", "", [Ask("home-grid", size=4)])
            now_ms = engine.world.now_ms()
            await engine.impressions([Impression(f"i{n}", made.decision_id, (0, 1), now_ms)])
        item = made.items[0].item_id
        said = [Outcome(f"o{n}", made.decision_id, item, "click", None, now_ms) for n in range(2)]
        for each in said:
            await engine.outcomes([each])
        await engine.stop()

    asyncio.run(act())
    engine.store.close()
    return path


def test_person_tells_what_was_shown(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The text has the latest slates and their credits, as the JSON has."""
    asking.person("u1", config, None, as_json=False)
    said = " ".join(capsys.readouterr().out.split())
    asking.person("u1", config, None, as_json=True)
    found = json.loads(capsys.readouterr().out)
    (credit,) = [x for each in found["exposures"] for x in each["credits"]]
    assert (credit["outcome"], credit["value"], credit["left"]) == ("click", 0.1, 0.1)
    assert said.count("Saw: home-grid, 2 items,") == 2
    assert f"credited with click of {credit['itemId']}: 0.1" in said
    assert "not credited with anything" in said


def test_what_was_taken_back_is_told() -> None:
    """How much is left."""
    credit = {"itemId": None, "outcome": "order", "value": 42.0, "left": 2.0}
    each = {"surface": "mail", "at": "now", "credits": [credit]}
    said = "mail, a choice, now; credited with order: 42, of which 2 left after refunds"
    assert asking._shown(each, "a choice") == said


@pytest.mark.parametrize("form", [".jsonl", ".parquet"])
def test_reports_are_exported(config: Path, tmp_path: Path, form: str) -> None:
    """Impressions and outcomes, each with its decision."""
    for kind, count in (("impressions", 2), ("outcomes", 1), ("decisions", 2)):
        out = tmp_path / f"{kind}{form}"
        exporting.export(kind, out, "u1", config, None, yes=True)
        if form == ".jsonl":
            rows = [json.loads(line) for line in out.read_text().splitlines()]
            assert len(rows) == count
            assert {row["person"] for row in rows} == {"u:u1"}
    if form == ".jsonl":
        row = json.loads((tmp_path / "outcomes.jsonl").read_text())
        assert (row["outcome"], row["credited"], row["message_id"]) == ("click", 0.1, "o0")
    with pytest.raises(WrongUse) as caught:
        exporting.export("clicks", tmp_path / "x.jsonl", None, config, None, yes=True)
    assert "impressions, outcomes" in caught.value.hint
