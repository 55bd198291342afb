"""How long it takes to see it run: `just bench first`.

A clean clone in a new folder, README's first command as it is written there, and a stopwatch: from
pressing Enter to the live page showing decisions on real purchases. The download of packages counts
as far as the machine's package index and pip's cache make it; nothing else is prepared.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.figures import record, write_result
from tests.acceptance.conftest import free_port

COMMAND = "just bench first"
ROOT = Path(__file__).resolve().parents[1]
LIMIT_S = 1_200.0


def first_command(readme: str) -> str:
    """The first command of the README's section *See it run*."""
    found = re.search(r"## See it run.*?```sh\n(.+?)\n```", readme, re.DOTALL)
    assert found is not None, "README.md has no first command"
    return found.group(1)


def slates_on_page(port: int) -> int:
    """Slates that the live page counts now; 0 while there is no page."""
    try:
        address = f"http://127.0.0.1:{port}/console/live/events"
        with urllib.request.urlopen(address, timeout=10) as stream:
            for line in stream:
                if line.startswith(b"data: "):
                    found = re.search(rb'"slates":(\d+)', line)
                    return int(found.group(1)) if found else 0
    except OSError:
        return 0
    return 0


def measure() -> dict[str, float]:
    """Seconds to the server's page, and to its first judged slate."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "germane"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
        port = free_port()
        command = f"{first_command((clone / 'README.md').read_text())} --no-browser --port {port}"
        environment = {
            k: v for k, v in os.environ.items() if not k.startswith(("VIRTUAL", "PYTHON"))
        }
        with (Path(folder) / "log").open("wb") as log:
            started = time.perf_counter()
            process = subprocess.Popen(  # noqa: S602 - the README's own words
                command,
                shell=True,
                cwd=clone,
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            installed = 0.0
            while time.perf_counter() - started < LIMIT_S:
                assert process.poll() is None, (Path(folder) / "log").read_text()
                if not installed and (clone / ".venv" / "bin" / "germane").exists():
                    installed = time.perf_counter() - started
                if slates_on_page(port) > 0:
                    seconds = time.perf_counter() - started
                    return {"installed_s": round(installed, 1), "first_result_s": round(seconds, 1)}
                time.sleep(0.5)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                process.wait(60)
    raise AssertionError(f"no slate on the page after {LIMIT_S:.0f} s")


def main() -> None:
    """Measure, print, write."""
    result = measure()
    print(json.dumps(result, indent=2))
    write_result("first", {"protocol": __doc__, **result})
    record("demo.first_result_s", result["first_result_s"], n=1, command=COMMAND)


if __name__ == "__main__":
    main()
