"""``germane channel test`` with a real mail server, and without one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from germane.cli import main
from tests.unit.deliver.channels.mailserver import Script, mailserver

CONFIG = """
[channels.email]
host = "127.0.0.1"
port = {port}
tls = "none"
from = "Shop <news@shop.example>"
"""


def run(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["germane", *arguments])
    with pytest.raises(SystemExit) as done:
        main()
    out = capsys.readouterr()
    return int(done.value.code or 0), out.out + out.err


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "germane.toml"


def test_a_message_goes_out(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each stage is told, in words."""
    with mailserver() as (port, script):
        config.write_text(CONFIG.format(port=port))
        code, said = run(
            ["channel", "test", "email", "--to", "me@x.example", "-c", str(config)],
            monkeypatch,
            capsys,
        )
    assert code == 0, said
    for each in ("Connection", "Greeting", "Sender", "Receiver", "The whole message", "Sent."):
        assert each in said
    assert script.got[0].rcpt_tos == ["me@x.example"]


def test_where_it_stops(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with mailserver(Script(rcpt=["550 5.1.1 nobody here"])) as (port, _):
        config.write_text(CONFIG.format(port=port))
        arguments = [
            "channel",
            "test",
            "email",
            "--to",
            "me@x.example",
            "-c",
            str(config),
            "--json",
        ]
        code, said = run(arguments, monkeypatch, capsys)
    assert code == 1
    found = json.loads(said[: said.rindex("}") + 1])
    assert found["result"] == "refused"
    assert found["stages"][-1]["stage"] in ("recipient", "data")
    assert "nobody here" in found["reason"]


def test_wrong_use(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text("[project]\n")
    code, said = run(
        ["channel", "test", "email", "--to", "a@b.example", "-c", str(config)], monkeypatch, capsys
    )
    assert code == 2
    assert "[channels.email]" in said
    code, said = run(["channel", "test", "webhook:x", "-c", str(config)], monkeypatch, capsys)
    assert code == 2
    config.write_text(CONFIG.format(port=2525))
    code, said = run(["channel", "test", "email", "-c", str(config)], monkeypatch, capsys)
    assert code == 2
    assert "--to" in said


def test_no_server(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text(CONFIG.format(port=9))
    code, said = run(
        ["channel", "test", "email", "--to", "a@b.example", "-c", str(config)], monkeypatch, capsys
    )
    assert code == 1
    assert "127.0.0.1:9" in said
    assert "Compare host and port" in said
