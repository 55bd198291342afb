"""``serve``: what it says as it starts is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from germane.cli.serving import serve_one

CHOICE = """
[server]
browser_decisions = "anonymous"

[signals.purchase]
event = "Order Completed"
item = "properties.products[].product_id"

[surfaces.offer]
kind = "choice"
actions = [{ id = "tenth-off" }, { id = "free-post" }]
outcomes = [{ name = "sale", signal = "purchase", window = "7d", value = 1.0 }]
"""
GRID = """
[surfaces.home]
default = ["tent"]
outcomes = [{ name = "sale", signal = "purchase", window = "7d", value = 1.0 }]
"""


@pytest.mark.parametrize(("more", "named"), [("", False), (GRID, True)])
def test_the_example_is_named_where_there_is_one(
    more: str,
    named: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The page shows a grid: without one there is none."""
    config = tmp_path / "germane.toml"
    config.write_text(CHOICE + more)
    (tmp_path / ".env").write_text("GERMANE_WRITE_KEY=gw_one\nGERMANE_SERVER_KEY=gs_one\n")
    for name in ("GERMANE_WRITE_KEY", "GERMANE_SERVER_KEY", "GERMANE_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("germane.cli.logs.set_up_logging", lambda _: None)
    monkeypatch.setattr("germane.cli.serving.set_up_logging", lambda _: None)
    monkeypatch.setattr("germane.cli.serving.run_server", lambda *_: None)
    serve_one(config, None, None, 0)
    assert ("/example" in capsys.readouterr().out) is named
