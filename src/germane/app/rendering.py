"""What is rendered, and what comes of it: here, or by a process of its own (``app.press``).

Rendering is pure (``generate.render``), so both give the same, byte for byte.
"""

from __future__ import annotations

import logging
import sys

import msgspec

from germane.app.pipes import get, put
from germane.deliver import outbox
from germane.domain.content import Chosen, Claim, Content, Rendered
from germane.domain.errors import GermaneError
from germane.domain.event import Event
from germane.domain.item import Item
from germane.domain.profile import Profile
from germane.domain.settings import ContentSpec, Settings
from germane.generate.facts import Facts, Links

_log = logging.getLogger(__name__)


class Work(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One message to render."""

    content: str
    chosen: Chosen
    profile: Profile
    now_ms: int
    account: Profile | None
    item: Item | None
    event: Event | None
    links: Links
    locales: tuple[str, ...] = ()
    """Languages that are wanted, before the person's own."""


class Printed(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=True):
    """A message as the log keeps it, and what its fold must know of it."""

    data: bytes
    digest: str
    locale: str
    version: str
    claims: tuple[Claim, ...]


class Spoiled(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=True):
    """It cannot be said: why."""

    code: str
    message: str


class Start(msgspec.Struct, frozen=True, array_like=True):
    """What a process begins with."""

    settings: Settings
    spec: ContentSpec


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """Messages, and the content that they name."""

    contents: dict[str, Content]
    works: list[Work]


def printed(rendered: Rendered) -> Printed:
    """A rendered message, packed."""
    data, digest = outbox.packed(rendered)
    return Printed(data, digest, rendered.locale, rendered.version, rendered.claims)


def facts_of(work: Work, start: Start) -> Facts:
    """What a rendering is given."""
    return Facts(
        settings=start.settings,
        profile=work.profile,
        now_ms=work.now_ms,
        spec=start.spec,
        account=work.account,
        item=work.item,
        event=work.event,
        locales=work.locales,
        links=work.links,
    )


def written(content: Content, chosen: Chosen, facts: Facts) -> Rendered:
    """As ``generate.render``, loaded when it is first needed: a server without content starts sooner."""
    from germane.generate.render import render

    return render(content, chosen, facts)


def print_one(content: Content, work: Work, start: Start) -> Printed | Spoiled:
    """One message; a bug in one does not stop the others."""
    try:
        return printed(written(content, work.chosen, facts_of(work, start)))
    except GermaneError as error:
        return Spoiled(error.code, error.message)
    except Exception as error:
        _log.exception("a message with %s could not be rendered", work.content)
        return Spoiled("internal", f"It could not be made: {error!r}")


def main() -> None:
    """Render batch after batch, from standard input to standard output, until it ends."""
    pipe, out = sys.stdin.buffer, sys.stdout.buffer
    batches = msgspec.msgpack.Decoder(Batch)
    try:
        start = msgspec.msgpack.decode(get(pipe), type=Start)
        while True:
            batch = batches.decode(get(pipe))
            done = [print_one(batch.contents[x.content], x, start) for x in batch.works]
            put(out, msgspec.msgpack.encode(done))
    except (EOFError, BrokenPipeError):
        pass  # whoever asked has ended


if __name__ == "__main__":
    main()
