"""A real server whose in-app messages are those of a file, read anew at each question."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from germane.api.auth import Keys
from germane.api.server import build
from germane.app import open_engine
from germane.cli import common
from germane.cli.logs import set_up_logging
from germane.cli.serving import http_server, listen, run_server
from germane.domain.inbox import Nudge


def main(config: str, data: str, port: str, messages: str) -> None:
    """Serve until stopped."""
    loaded = common.load(Path(config))
    set_up_logging("json")

    def waiting() -> dict[str, list[Nudge]]:
        return msgspec.json.decode(Path(messages).read_bytes(), type=dict[str, list[Nudge]])

    async def inbox(user_id: str, anonymous_id: str) -> Sequence[Nudge]:
        return waiting().get(user_id or anonymous_id, ())

    engine = open_engine(loaded.settings, Path(data))
    keys = Keys(loaded.runtime.write_key, loaded.runtime.server_key)
    listener = listen("127.0.0.1", int(port))
    run_server(http_server(build(engine, keys, inbox=inbox, anonymous=True), grace_s=2), listener)
    engine.store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
