"""A person's words in place of what was rendered."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from germane.deliver import outbox
from germane.domain.content import Rendered
from germane.domain.errors import BadEdit
from germane.domain.message import Message
from germane.domain.moves import AnyMove, Planned, Rewritten
from germane.domain.record import Record
from germane.generate.active import active

SUBJECT_MAX, BODY_MAX = 500, 500_000
_move = msgspec.msgpack.Decoder(AnyMove).decode


class Edit(msgspec.Struct, frozen=True):
    """What is to be said instead; ``None``: as it was."""

    subject: str | None = None
    html: str | None = None
    text: str | None = None
    payload: dict[str, Any] | None = None
    """Of a message that is no e-mail."""
    slots: dict[str, dict[str, str]] | None = None
    """Slot -> field -> template, instead of whole texts: the message is rendered anew with them."""


def words_of(record: Record | None) -> Rendered | None:
    """What was rendered, from the record that holds it; ``None``: it is gone."""
    move = _move(record.body) if record is not None and record.kind == "move" else None
    return outbox.unpacked(move.rendered) if isinstance(move, Planned | Rewritten) else None


def reworded(message: Message, rendered: Rendered, edit: Edit) -> Rendered:
    """The text after an edit of whole texts.

    Raises:
        BadEdit: nothing changes, or the text cannot be like that.
    """
    _check(message, rendered, edit)
    return replace(
        rendered,
        subject=rendered.subject if edit.subject is None else edit.subject.strip(),
        html=rendered.html if edit.html is None else edit.html,
        text=rendered.text if edit.text is None else edit.text,
        payload=rendered.payload if edit.payload is None else edit.payload,
    )


def _check(message: Message, rendered: Rendered, edit: Edit) -> None:
    mail = message.channel == "email"
    if mail and edit.payload is not None:
        raise BadEdit("An e-mail has no payload.", hint="Change subject, html and text.")
    if not mail and any(each is not None for each in (edit.subject, edit.html, edit.text)):
        raise BadEdit("It is no e-mail.", hint="Change its payload.")
    if edit.subject is not None:
        _check_subject(edit.subject)
    bodies = (edit.html, edit.text)
    if any(each is not None and not each.strip() for each in bodies):
        raise BadEdit("The text is empty.", hint="Write something, or reject the message.")
    if any(each is not None and len(each) > BODY_MAX for each in bodies):
        raise BadEdit(f"The text has more than {BODY_MAX:,} characters.", hint="Shorten it.")
    if rendered.html and rendered.text and (edit.html is None) != (edit.text is None):
        raise BadEdit(
            "Only one of html and text would change, and people would read different things.",
            hint="Change both: some programs show the one, some the other.",
        )
    acts = active(edit.html or "")
    if acts:
        raise BadEdit(
            f"The HTML has {acts}: an e-mail only shows, and whoever reads or approves it must be safe.",
            hint="Take it out: no scripts, handlers, frames, forms or media. A < that is text is &lt;.",
        )


def _check_subject(subject: str) -> None:
    if not subject.strip() or len(subject) > SUBJECT_MAX:
        raise BadEdit(f"A subject has 1 to {SUBJECT_MAX} characters.")
    if any(ord(each) < 32 or ord(each) == 127 for each in subject):
        raise BadEdit("A subject is one line, without control characters.")
