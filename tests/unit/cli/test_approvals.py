"""``germane approvals`` on a data folder, as people read it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from germane.app.demanding import Demands
from germane.app.opening import open_engine
from germane.app.operators import Operators
from germane.cli.errors import guarded
from germane.cli.program import app
from germane.config import load
from germane.domain.approval import ApprovalPolicy
from germane.testing.approvals import a_message, planned

SETTINGS = '[project]\nname = "test"\n[delivery.approval]\namount = "discount"\nover = 10\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with an operator, and two messages that wait."""
    (tmp_path / "germane.toml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    engine = open_engine(load(tmp_path / "germane.toml", {}).settings, tmp_path / "germane-data")

    async def made() -> None:
        await engine.start()
        await Operators(engine).add("ann", ["approver"], by="test")
        demands = Demands(engine, lambda _: [ApprovalPolicy(amount="discount", over=10.0)])
        for number in (1, 2):
            message, data = a_message(number, words=f"Offer {number}", amounts={"discount": 20.0})
            await engine.move(planned(demands, message, data))
        await engine.stop()

    asyncio.run(made())
    engine.store.close()
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["germane", *arguments])
        code = guarded(app)
    found = capsys.readouterr()
    return code, found.out + found.err


def test_the_queue_as_people_read_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = (a_message(number)[0].message_id for number in (1, 2))
    code, text = said(capsys, "approvals", "list")
    assert (code, text.count("pending"), "discount 20" in text) == (0, 2, True)
    code, text = said(capsys, "approvals", "approve", one, "--as", "nobody")
    assert (code, "There is no operator 'nobody'" in text) == (1, True)
    code, text = said(capsys, "approvals", "approve", one, "--as", "ann")
    assert (code, "ann has not looked at it" in text) == (2, True)
    code, text = said(capsys, "approvals", "show", one, "--as", "ann")
    assert code == 0
    assert "Takes 1 of role:approver or role:admin; approved by nobody." in text
    assert "Offer 1" in text
    assert said(capsys, "approvals", "approve", one, "--as", "ann") == (0, "Approved 1 of 1.\n")
    code, text = said(capsys, "approvals", "approve", two, "--as", "ann", "--digest", "wrong")
    assert (code, "changed since" in text, "→ Look at it again" in text) == (1, True, True)
    code, text = said(capsys, "approvals", "reject", two, "--as", "ann", "--reason", "Too dear")
    assert (code, text) == (0, "Rejected 1 of 1.\n")
    code, text = said(capsys, "approvals", "approve", two, "--as", "ann")
    assert (code, "has not looked" in text, "tells who decided it" in text) == (1, False, True)
    code, text = said(capsys, "approvals", "stats")
    assert "1 approved, 1 rejected" in text
    assert "1 × Too dear" in text
    assert said(capsys, "approvals", "list") == (0, "Nothing waits.\n")
    assert said(capsys, "approvals", "list", "--status", "odd")[0] == 2
    assert said(capsys, "operator", "list")[1].startswith("ann  approver")
    assert said(capsys, "operator", "disable", "ann") == (0, "ann is disabled.\n")
    code, text = said(capsys, "approvals", "show", two, "--as", "ann")
    assert (code, "ann is disabled" in text) == (1, True)
