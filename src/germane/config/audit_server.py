"""The audit of what a server needs beside surfaces: its keys."""

from __future__ import annotations

from germane.config.finding import Finding
from germane.config.load import Runtime


def audit_server(runtime: Runtime) -> list[Finding]:
    """A warning without keys: everything but `germane serve` works."""
    missing = [
        name
        for name, key in (
            ("GERMANE_WRITE_KEY", runtime.write_key),
            ("GERMANE_SERVER_KEY", runtime.server_key),
        )
        if not key
    ]
    if not missing:
        return []
    return [
        Finding(
            "",
            "keys",
            "warning",
            f"No {' and no '.join(missing)}: `germane serve` will not start.",
            "Set them in .env beside the configuration, or in the environment, to two different long random "
            "texts; `germane init` makes such a file with a new project.",
        )
    ]
