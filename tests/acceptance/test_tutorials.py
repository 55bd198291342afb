"""Every command of a tutorial, run in its order, as a reader would."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.acceptance.conftest import free_port

DOCS = Path(__file__).parents[2] / "docs" / "tutorials"
ELSEWHERE = ("pip install",)
"""What a reader does before, and the tests have done."""
STAYS = re.compile(r"germane serve$|-m aiosmtpd ")
"""Commands that stay in a terminal of their own, until the end."""
BEGIN = """
set -emu
germane() { "$PYTHON" -m germane "$@"; }
python3() { "$PYTHON" "$@"; }
trap 'for each in $(jobs -p); do kill -- -$each; done; wait' EXIT
answers() { for n in $(seq 300); do (: < /dev/tcp/127.0.0.1/$1) 2>/dev/null && return; sleep 0.2; done; false; }
"""


def blocks(page: str) -> list[str]:
    """The shell blocks of a page."""
    return re.findall(
        r"^```sh\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.MULTILINE | re.DOTALL
    )


def script(page: str, ports: dict[str, int]) -> str:
    """One script of all blocks, with free ports in place of those of the page."""
    lines = [BEGIN]
    for block in blocks(page):
        if any(each in block for each in ELSEWHERE):
            continue
        command = _with(block, ports)
        if STAYS.search(command):
            port = ports["2525"] if "aiosmtpd" in command else ports["8400"]
            lines.append(f"( {command.strip()} ) > log-{port} 2>&1 &\nanswers {port}")
        else:
            lines.append(f"echo '$'; {command}")
    return "\n".join(lines)


def _with(block: str, ports: dict[str, int]) -> str:
    for port, free in ports.items():
        block = block.replace(port, str(free))
    return block


def test_your_first_message(tmp_path: Path) -> None:
    """From an empty folder to a mail in a mailbox."""
    ports = {"8400": free_port(), "2525": free_port()}
    done = subprocess.run(
        ["bash", "-c", script("your-first-message.md", ports)],
        cwd=tmp_path,
        env={
            **_environment(),
            "PYTHON": sys.executable,
            "GERMANE_SERVER__PORT": str(ports["8400"]),
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    logs = "".join(each.read_text() for each in (tmp_path / "shop").glob("log-*"))
    assert done.returncode == 0, done.stdout + done.stderr + logs
    assert "Traceback" not in done.stderr + logs
    (mail,) = (tmp_path / "shop" / "mails" / "new").iterdir()
    text = mail.read_text()
    assert "To: ann@example.org" in text
    assert "Everyday sneakers" in text
    said = done.stdout
    for words in (
        "A new campaign is dry",
        "Nobody is known yet",
        "It waits for the item to change",
        "  sent  ",
        "Stopped: everything",
        "Goes on: everything",
        "The newest message is sent",
        "back-in-stock is ended",
    ):
        assert words in said, words


def _environment() -> dict[str, str]:
    import os

    return {key: value for key, value in os.environ.items() if not key.startswith("GERMANE_")}
