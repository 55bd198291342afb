"""``Sec-GPC: 1`` (Global Privacy Control, W3C): every call that names a person hears it."""

from __future__ import annotations

from starlette.requests import Request

from germane.api.heads import header
from germane.app.engine import Engine
from germane.domain.profile import Profile


def signalled(request: Request) -> bool:
    """Whether the browser says no to being followed."""
    return header(request, b"sec-gpc").strip() == "1"


def hear(request: Request, engine: Engine, person: Profile) -> None:
    """What the browser says no to, for whom the call is about; nobody: for nobody."""
    if person.person and signalled(request):
        engine.signalled(person)
