"""A person's words in place of a variant's, in slots of one message that waits."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec.structs import replace

from germane.app.composing import Composer
from germane.app.engine import Engine
from germane.app.rewording import Edit
from germane.app.stakes import amounts_of
from germane.config.content_variants import checked_fields
from germane.config.problems import Problems
from germane.domain.content import Content, Rendered, Slot, choice_surface
from germane.domain.errors import BadEdit, GermaneError
from germane.domain.message import Message
from germane.domain.near import did_you_mean
from germane.generate.own_words import EDITED, changed_fields, fields_now, with_words

WHOLE = "Change it as a whole: subject, html and text, or the payload."


def foreign(engine: Engine, message: Message, slots: Collection[str]) -> tuple[str, ...]:
    """Decisions of a message whose words are a person's by now: those before, and those of ``slots``."""
    surfaces = {choice_surface(message.content, each) for each in slots}
    made = (engine.decision(each) for each in message.decisions)
    more = (each.decision_id for each in made if each is not None and each.surface in surfaces)
    return tuple(dict.fromkeys((*message.foreign, *more)))


def slots_changed(edit: Edit, content: Content) -> set[str]:
    """The slots whose words an edit of whole texts takes away: of the subject, or all others."""
    subject, body = edit.subject is not None, (edit.html, edit.text, edit.payload) != (None,) * 3
    return {x.name for x in content.slots if (subject if x.kind == "subject" else body)}


def slots_now(engine: Engine, message: Message) -> list[tuple[Slot, dict[str, str]]]:
    """The slots of a message with the templates that stand in them; none where they cannot be changed."""
    content = _content(engine, message)
    if content is None or (message.edited_by and not message.words):
        return []
    return [(each, _now(content, message, each)) for each in content.slots]


def in_slots(
    engine: Engine, composer: Composer, message: Message, edit: Edit
) -> tuple[Message, Rendered]:
    """The message with other words in some of its slots, and its text, rendered anew.

    Raises:
        BadEdit: the words cannot be said (no such slot, a template that is refused, what is not speakable,
            a typed price, a link that leads elsewhere), not all of them would be, or its content has changed.
    """
    content = _content(engine, message)
    if content is None:
        raise BadEdit("Its content has changed since it was made.", hint=WHOLE)
    if message.edited_by and not message.words:
        raise BadEdit(f"{message.edited_by} changed its whole text already.", hint=WHOLE)
    said = _said(content, message, edit.slots or {})
    words = {**message.words, **said}
    _check(engine, composer, with_words(content, words, message.locale), said)
    after = replace(message, words=words, foreign=foreign(engine, message, said))
    try:
        rendered = composer.again(after)
    except GermaneError as error:
        raise BadEdit(error.message, hint=error.hint) from None
    lost = next((each for each in rendered.dropped if each.slot in said), None)
    if lost is not None:
        raise BadEdit(
            f"Slot {lost.slot} would be left out of this message: {lost.reason}.",
            hint="Say it without what is not known.",
        )
    made = [each for x in after.credited if (each := engine.decision(x)) is not None]
    return replace(after, amounts=amounts_of(rendered.claims, made)), rendered


def _content(engine: Engine, message: Message) -> Content | None:
    """What the message was made from; ``None``: it is another one by now."""
    found = engine.library.contents.get(message.content)
    return found if found is not None and found.version == message.content_version else None


def _now(content: Content, message: Message, slot: Slot) -> dict[str, str]:
    if slot.name in message.words:
        return dict(message.words[slot.name])
    chosen = message.chosen.get(slot.name)
    return fields_now(slot, chosen, message.locale, content.default_locale)


def _said(
    content: Content, message: Message, slots: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    """Slot -> its templates after the edit, each looked at as in a content file."""
    found, problems = {}, Problems()
    for name, fields in slots.items():
        slot = content.slot(name)
        if slot is None:
            known = [each.name for each in content.slots]
            raise BadEdit(f"There is no slot {name[:64]!r}.", hint=did_you_mean(name, known))
        whole = changed_fields(_now(content, message, slot), fields)
        found[name] = checked_fields(whole, slot, name, problems)
    if problems.found:
        first = problems.found[0]
        raise BadEdit(f"{first.key}: {first.problem}", hint=first.remedy)
    return found


def _check(engine: Engine, composer: Composer, content: Content, said: Collection[str]) -> None:
    """The guardrails of ``germane content check``, for what was written."""
    from germane.generate.check import check_content  # it brings the templates' engine

    items = engine.catalogue.values()
    mine = tuple(f"{name}.{EDITED}." for name in said)
    for each in check_content(content, engine.settings, composer.spec, items):
        if each.level == "error" and each.key.startswith(mine):
            name = each.key.partition(".")[0]
            raise BadEdit(f"{name}: {each.text}", hint=each.remedy)
