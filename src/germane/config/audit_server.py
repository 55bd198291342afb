"""The audit of what a server needs beside surfaces: its keys, and what browsers may ask."""

from __future__ import annotations

from germane.config.finding import Finding
from germane.config.load import Runtime
from germane.domain.person_token import KEY_LEAST


def audit_server(runtime: Runtime) -> list[Finding]:
    """A warning without keys: everything but `germane serve` works. One, too, for a key that cannot sign."""
    missing = [
        name
        for name, key in (
            ("GERMANE_WRITE_KEY", runtime.write_key),
            ("GERMANE_SERVER_KEY", runtime.server_key),
        )
        if not key
    ]
    if not missing:
        return _signing(runtime)
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


def _signing(runtime: Runtime) -> list[Finding]:
    if len(runtime.server_key) >= KEY_LEAST:
        return []
    return [
        Finding(
            "",
            "keys",
            "warning",
            f"The server key is shorter than {KEY_LEAST} characters: it cannot sign person tokens, with which "
            "browsers ask.",
            "Set GERMANE_SERVER_KEY to a long random text, if browsers are to ask.",
        )
    ]
