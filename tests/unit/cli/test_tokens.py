"""``germane token``: what it prints opens the project's server, for one person and a while."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from germane.config.environment import dotenv
from germane.domain.person_token import Claims, verify
from tests.unit.cli.test_import import germane, made, project

__all__ = ["made", "project"]


def read(folder: Path, token: str) -> Claims:
    """What the token says, with the project's key."""
    return verify(token.strip(), dotenv(folder / ".env")["GERMANE_SERVER_KEY"], now_s=time.time())


def test_a_token(project: Path) -> None:
    """An hour unless it is said; a user id, or an anonymous id."""
    said = read(project, germane(project, "token", "ann").stdout)
    assert (said.user_id, said.anonymous_id, said.surfaces) == ("ann", "", None)
    assert 3_500 < said.exp - time.time() <= 3_600
    visitor = read(project, germane(project, "token", "a:x1", "--for", "2d").stdout)
    assert (visitor.user_id, visitor.anonymous_id) == ("", "x1")


def test_for_some_surfaces_and_for_programs(project: Path) -> None:
    """Limited, and as JSON with its end."""
    done = germane(project, "token", "ann", "--surface", "home-grid", "--for", "15m", "--json")
    found = json.loads(done.stdout)
    assert read(project, found["token"]).surfaces == ("home-grid",)
    assert found["expiresAt"].endswith("Z")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--for", "8d"), "up to 7d"),
        (("--for", "0s"), "up to 7d"),
        (("--for", "an hour"), "15m"),
        (("--surface", "home-grd"), "Configured: email-picks, home-grid"),
    ],
)
def test_wrong_use(project: Path, arguments: tuple[str, ...], says: str) -> None:
    """Said with the remedy, exit code 2."""
    done = germane(project, "token", "ann", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_a_key_that_cannot_sign(project: Path) -> None:
    """`germane check` warns of it, and `germane token` refuses."""
    (project / ".env").write_text("GERMANE_WRITE_KEY=w\nGERMANE_SERVER_KEY=short\n")
    assert "person tokens" in germane(project, "check").stdout
    done = germane(project, "token", "ann")
    assert done.returncode == 1
    assert "shorter than 32 characters" in done.stderr
    (project / ".env").write_text("GERMANE_WRITE_KEY=w\n")
    assert "no server key" in germane(project, "token", "ann").stderr
