"""Whether a message in the app may be shown, asked at each look: it leaves only when somebody sees it."""

from __future__ import annotations

from germane.app.checks import standing, untrue
from germane.app.engine import Engine
from germane.app.release import Release
from germane.app.writing import rendered_of
from germane.domain.content import Rendered
from germane.domain.message import Message, Why


class Showing:
    """Asks what was asked before the message was put down (``release``, ``checks``), but for its hour."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._release = Release.of(engine)

    def look(self, message: Message) -> Rendered | Why:
        """Its text, or why that is not shown now. What it says is held against the catalogue last: the
        text is read only of what is still wanted.

        Raises:
            LookupError: its text is not in the log any more.
        """
        engine, now_ms = self._engine, self._engine.world.now_ms()
        held = self._release.withdrawn(message) or standing(engine, message, now_ms)
        if held is not None:
            return held.why
        over = engine.enrolling.outlived(engine.tenant, message, now_ms=now_ms)
        if over is not None:
            return Why(now_ms, over.code, over.text)
        rendered = rendered_of(engine, message)
        text = untrue(engine, rendered, now_ms)
        return Why(now_ms, "claim.changed", text) if text else rendered
