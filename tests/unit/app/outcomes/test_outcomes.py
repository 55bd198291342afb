"""What variants brought, from drafts through the engine to the numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from germane.api.inside import Inside
from germane.app.composing import Composer
from germane.app.engine import Engine
from germane.app.outcomes import figures, gathered, made, steps_of
from germane.app.outcomes.answered import latest
from germane.app.outcomes.figures import ContentOutcomes, VariantOutcomes
from germane.deliver import outbox
from germane.domain.campaign import Leave, SendSpec
from germane.domain.content import Content, Rendered, Slot, Variant
from germane.domain.decision import Decision
from germane.domain.event import Event
from germane.domain.message import Message, Why
from germane.domain.moves import Claimed, ContentPut, Rewritten, Settled
from germane.testing import an_event
from germane.testing.world import START_MS
from tests.unit.app.test_composing import a_campaign, a_draft, asked_for, live, said

WHY = Why(START_MS, "test", "Because.")
HOUR_MS = 3_600_000


def a_mail(**changed: Any) -> Content:
    """A subject that a person wrote, and one that the writer did."""
    variants = (
        Variant("plain", said("News for you")),
        Variant("drafted", said("Something nice"), author="writer"),
    )
    body = Slot("body", "text", (Variant("one", said("Hello.")),))
    made_up = Content("picks", "email", slots=(Slot("subject", "subject", variants), body))
    return replace(made_up, **changed)


def a_run(**changed: Any) -> Any:
    """A campaign that says it; its goal is an order."""
    return a_campaign(goal=Leave("Order Completed"), send=SendSpec(ignore_caps=True), **changed)


def composed(engine: Engine, people: Sequence[str]) -> list[Message]:
    """A message to each of them, waiting to go out."""
    for user in people:
        key = outbox.message_id(START_MS, f"weekly/u:{user}/1/mail")
        asked_for(engine, a_draft(user, message_id=key))
    composer = Composer(engine)
    drafts = composer.drafts(len(people))
    for each in drafts:
        composer.make(each)
    made = [engine.moving.message(engine.tenant, each.message_id) for each in drafts]
    return [each for each in made if each is not None]


def sent(engine: Engine, messages: Sequence[Message]) -> None:
    """They go out."""
    for each in messages:
        engine.put_moves([Claimed(each.message_id, "someone@example.org", WHY)])
        engine.put_moves([Settled(each.message_id, "sent", WHY)])


def edited(engine: Engine, message: Message) -> None:
    """A person changes its text before it goes out."""
    data, digest = outbox.packed(Rendered("picks", "", "email", "en", subject="My own words"))
    changed = replace(message, digest=digest, edited_by="olga", demands=())
    engine.put_moves([Rewritten(changed, data, WHY)])


def an_answer(message: Message, name: str, after_ms: int = HOUR_MS, **more: Any) -> Event:
    """What came back of it."""
    properties = {"email_id": message.message_id, **more}
    at_ms = START_MS + after_ms
    return an_event(name, user=message.person[2:], at_ms=at_ms, properties=properties)


def found(engine: Engine) -> ContentOutcomes:
    """All figures."""
    reading = gathered(engine, engine.library.content("picks"))
    steps = 0
    while True:
        try:
            steps += next(reading)
        except StopIteration as ended:
            assert steps == steps_of(engine)
            return figures(ended.value)


def by_variant(outcomes: ContentOutcomes) -> dict[str, VariantOutcomes]:
    """Of the only slot."""
    (slot,) = outcomes.slots
    return {each.variant: each for each in slot.variants}


def counts(variant: VariantOutcomes) -> dict[str, int]:
    """How many answered, by measure."""
    return {measure: each.count for measure, each in variant.answers.items()}


def test_from_drafts_to_numbers(engine: Engine) -> None:
    """Each is counted with the variant that it says: what people did, not machines; within a week; once."""
    live(engine, a_mail(), a_run())
    messages = composed(engine, [f"p{n}" for n in range(60)])
    sent(engine, messages[:50])  # ten are never sent
    engine.world.advance(days=3)  # type: ignore[attr-defined]
    answers = []
    expected: dict[str, Counter[str]] = {"plain": Counter(), "drafted": Counter()}
    for number, each in enumerate(messages[:50]):
        mine = expected[each.chosen["subject"]]
        if number % 5 == 0:
            answers += [
                an_answer(each, "Email Link Clicked"),
                an_answer(each, "Email Link Clicked"),
            ]
            mine.update(("clicked", "opened"))
        elif number % 5 == 1:
            answers.append(an_answer(each, "Email Opened"))
            mine.update(("opened",))
        elif number % 5 == 2:
            answers.append(an_answer(each, "Email Link Clicked by Machine"))
        elif number % 5 == 3:
            answers.append(an_answer(each, "Unsubscribed"))
            mine.update(("left",))
        if number % 10 == 0:
            bought = an_event("Order Completed", user=each.person[2:], at_ms=START_MS + HOUR_MS)
            answers.append(replace(bought, properties={"order_id": f"o{number}", "products": []}))
            mine.update(("goal",))
    engine.accept_now(answers)
    assert all(x.counted == 0 for x in by_variant(found(engine)).values())  # the week is not over
    engine.world.advance(days=5)  # type: ignore[attr-defined]
    shown = by_variant(found(engine))
    chosen = Counter(each.chosen["subject"] for each in messages)
    went = Counter(each.chosen["subject"] for each in messages[:50])
    for name, variant in shown.items():
        assert (variant.chosen, variant.sent) == (chosen[name], went[name])
        assert (variant.counted, variant.waiting, variant.edited) == (went[name], 0, 0)
        assert counts(variant) == {x: expected[name][x] for x in variant.answers}
        clicked = variant.answers["clicked"].rate
        assert clicked is not None
        assert clicked.value == pytest.approx(expected[name]["clicked"] / went[name])
        assert clicked.low < clicked.value < clicked.high
    assert shown["drafted"].author == "writer"
    assert shown["plain"].author == "person"


def test_the_writer_against_a_person(engine: Engine) -> None:
    """Every writer's text is clicked, one of five of a person's: it is known, weighted by what was logged."""
    live(engine, a_mail(), a_run())
    messages = composed(engine, [f"p{n}" for n in range(200)])
    sent(engine, messages)
    engine.world.advance(days=1)  # type: ignore[attr-defined]
    clicked = [
        each
        for number, each in enumerate(messages)
        if each.chosen["subject"] == "drafted" or number % 5 == 0
    ]
    engine.accept_now([an_answer(each, "Email Link Clicked") for each in clicked])
    engine.world.advance(days=9)  # type: ignore[attr-defined]
    (slot,) = found(engine).slots
    difference = slot.writer_against_person["clicked"].difference
    assert difference.verdict == "more"
    assert difference.n == 200
    assert difference.low < 0.8 < difference.high
    assert slot.answer.startswith("The writer's texts bring more clicks: +")
    assert slot.writer_against_person["left"].text.startswith("Not known yet")
    status, answered = Inside(engine).ask("GET", "/v1/content/picks/outcomes")
    assert status == 200
    assert answered == msgspec.json.decode(msgspec.json.encode(found(engine).view()))
    assert answered["slots"][0]["writerAgainstPerson"]["clicked"]["difference"]["verdict"] == "more"
    assert Inside(engine).ask("GET", "/v1/content/pickz/outcomes")[0] == 404


def test_what_a_person_changed_counts_for_no_variant(engine: Engine) -> None:
    """Its clicks are those of other words; the report says how many there were."""
    live(engine, a_mail(), a_run())
    messages = composed(engine, [f"p{n}" for n in range(10)])
    edited(engine, messages[0])
    ready = [engine.moving.message(engine.tenant, each.message_id) for each in messages]
    sent(engine, [each for each in ready if each is not None and each.status == "queued"])
    engine.world.advance(days=1)  # type: ignore[attr-defined]
    engine.accept_now([an_answer(messages[0], "Email Link Clicked")])
    engine.world.advance(days=9)  # type: ignore[attr-defined]
    outcomes = found(engine)
    variant = by_variant(outcomes)[messages[0].chosen["subject"]]
    assert variant.edited == 1
    assert counts(variant)["clicked"] == 0
    assert sum(each.sent for each in by_variant(outcomes).values()) == 9
    assert "count for no variant" in outcomes.slots[0].notes[0]


def test_who_wrote_it_is_as_it_was_then(engine: Engine) -> None:
    """A draft that was approved, said, and taken out again is still the writer's; what was added since is
    shown, and was never chosen."""
    live(engine, a_mail(), a_run())
    composed(engine, [f"p{n}" for n in range(40)])
    variants = (Variant("plain", said("News")), Variant("newer", said("Newer"), author="writer"))
    body = a_mail().slots[1]
    slots = (Slot("subject", "subject", variants), body)
    engine.put_moves([ContentPut(a_mail(slots=slots))])
    shown = by_variant(found(engine))
    assert (shown["drafted"].author, shown["drafted"].offered) == ("writer", False)
    assert shown["drafted"].chosen > 0
    assert (shown["newer"].author, shown["newer"].chosen) == ("writer", 0)


def test_one_author_is_nothing_to_compare(engine: Engine) -> None:
    """And content that never was a choice says how it becomes one."""
    one = a_mail().slots[0].variants[0]
    both = (one, replace(one, id="warm"))
    live(engine, a_mail(slots=(Slot("subject", "subject", both), a_mail().slots[1])), a_run())
    assert "No slot was ever a choice" in found(engine).notes[0]
    composed(engine, ["p1"])
    (slot,) = found(engine).slots
    assert slot.writer_against_person == {}
    assert slot.answer.startswith("Nothing to compare")


def test_a_goal_that_asks_for_more_than_its_event_is_not_counted(engine: Engine) -> None:
    """What was known of the person then is not known now; the report says so. Of the event itself it is."""
    more = Leave("Order Completed", when="profile.evidence > 2.0")
    live(engine, a_mail(), replace(a_run(), goal=more))
    composed(engine, ["p1"])
    outcomes = found(engine)
    assert "The goal of weekly is not counted" in outcomes.notes[0]
    assert all("goal" not in each.answers for each in by_variant(outcomes).values())


def test_much_is_thinned_by_people(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded: beyond it a part of the people is looked at, and the report says which part."""
    monkeypatch.setattr(made, "MOST", 32)
    live(engine, a_mail(), a_run())
    composed(engine, [f"p{n}" for n in range(150)])
    outcomes = found(engine)
    assert outcomes.people <= 1 / 4
    assert "drawn by chance" in outcomes.notes[0]
    assert 0 < sum(each.chosen for each in by_variant(outcomes).values()) < 32


def test_people_who_may_not_be_personalised_teach_nothing(engine: Engine) -> None:
    """They got the default, whatever it is: it is counted, and no weight is made of it."""
    live(engine, a_mail(), a_run())
    messages = composed(engine, ["p1"])
    decision = engine.decision(messages[0].decisions[0])
    assert decision is not None
    assert decision.choice is not None
    log = made.ContentLog(engine, engine.library.content("picks"))
    refused = replace(decision, choice=replace(decision.choice, how="default"))
    for record in engine.store.read(0):
        body = msgspec.msgpack.encode(refused) if record.kind == "decision" else record.body
        log.take(msgspec.structs.replace(record, body=body))
    assert list(log.slots["subject"].writer) == [-1.0]
    assert isinstance(refused, Decision)


def test_a_goal_belongs_to_the_message_before_it() -> None:
    """Of the same person and campaign; the latest one, at its very time as well; of nobody else."""
    sent_to = (np.array([1, 1, 2, 1]), np.array([0, 0, 0, 1]), np.array([10, 20, 5, 12]))
    goals = (
        np.array([1, 1, 1, 2, 3, 1]),
        np.array([0, 0, 0, 0, 0, 1]),
        np.array([9, 15, 20, 6, 50, 99]),
    )
    row, at_ms = latest(sent_to, goals)
    assert sorted(zip(row.tolist(), at_ms.tolist(), strict=True)) == [
        (0, 15),
        (1, 20),
        (2, 6),
        (3, 99),
    ]
