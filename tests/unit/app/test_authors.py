"""Whose work a campaign is: recorded with it, and no approver of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from germane.api.approval_view import authors_note
from germane.app.demanding import authors_of
from germane.domain.approval import ApprovalPolicy
from germane.domain.errors import NotApprover
from germane.domain.moves import CampaignPut, CampaignTurned, ContentPut
from tests.unit.app.test_approving import (
    SAID,
    Office,
    a_content,
    in_office,
    settings,
    the_campaign,
)

OTHER = "Other news"


async def live(office: Office, *, content: str = "", campaign: str = "", **changed: object) -> None:
    """A campaign that demands approval, put by operators; and asked for."""
    await office.engine.move(
        [
            ContentPut(a_content(), content),
            CampaignPut(the_campaign(**changed), campaign),
            CampaignTurned("weekly", "live", SAID),
        ]
    )
    await office.approving.queue.round()


def test_who_put_it_may_not_approve_it(tmp_path: Path) -> None:
    """Neither the campaign nor a content of it; also not after it was turned on by somebody else."""

    async def work(office: Office) -> None:
        await live(office, content="ann", campaign="bob", approval={"of": "campaign"})
        (asked,) = office.approving.listed()
        assert asked.authors == ("bob", "ann")
        for name in ("ann", "bob"):
            with pytest.raises(NotApprover, match="somebody else must approve"):
                await office.says(name, "approve", asked.approval_id)
        assert (await office.says("dot", "approve", asked.approval_id)).status == "approved"

    in_office(tmp_path, settings({}), work)


def test_who_changed_it_last_is_its_author(tmp_path: Path) -> None:
    """Each form has its own; who puts the same again has changed nothing, and takes nobody's name away."""

    async def work(office: Office) -> None:
        engine = office.engine
        await live(office, content="ann", campaign="ann", approval={"of": "campaign"})
        await engine.move([ContentPut(a_content(), ""), CampaignPut(engine_form(office), "bob")])
        assert authors_of(engine, "weekly", ["picks"]) == ("ann",)
        await engine.move([ContentPut(a_content(OTHER), "bob")])
        assert authors_of(engine, "weekly", ["picks"]) == ("ann", "bob")
        await office.approving.queue.round()
        (second,) = office.approving.listed(status="pending")
        assert second.authors == ("ann", "bob")
        await engine.move([CampaignPut(replace(engine_form(office), title="New"), "")])
        assert authors_of(engine, "weekly", ["picks"]) == ("bob",)

    in_office(tmp_path, settings({}), work)


def engine_form(office: Office) -> object:
    """The campaign as it is there."""
    return replace(office.engine.library.campaigns["weekly"], put_by="")


def test_the_author_whom_the_file_names(tmp_path: Path) -> None:
    async def work(office: Office) -> None:
        await live(office, campaign="bob", author="ann", approval={"of": "campaign"})
        (asked,) = office.approving.listed()
        assert asked.authors == ("ann", "bob")
        assert authors_note(asked, office.engine) is None
        with pytest.raises(NotApprover):
            await office.says("ann", "approve", asked.approval_id)

    in_office(tmp_path, settings({}), work)


def test_a_name_that_turns_up_later_counts(tmp_path: Path) -> None:
    """The same form again, now with a name: what its author had approved is not approved any more."""

    async def work(office: Office) -> None:
        await live(office, approval={"of": "campaign"})
        (asked,) = office.approving.listed()
        note = authors_note(asked, office.engine)
        assert note == "Who wrote it is not known: nobody is excluded for it."
        await office.says("ann", "approve", asked.approval_id)
        await office.engine.move([CampaignPut(engine_form(office), "ann")])
        await office.approving.queue.round()
        after = office.approving.find(asked.approval_id)
        assert (after.status, after.authors) == ("pending", ("ann",))
        await office.says("bob", "approve", asked.approval_id)
        assert office.approving.find(asked.approval_id).status == "approved"
        assert await office.approving.queue.round() == 0, "it is asked for once"

    in_office(tmp_path, settings({}), work)


def test_authors_of_single_messages(tmp_path: Path) -> None:
    """Those of the campaign and of the content that they say; also where it is demanded only later."""
    policies: list[ApprovalPolicy] = [ApprovalPolicy()]

    async def work(office: Office) -> None:
        await live(office, content="ann", campaign="bob", approval={})
        one = await office.plan()
        assert office.approving.find(one.message_id).authors == ("bob", "ann")
        with pytest.raises(NotApprover):
            await office.says("ann", "approve", one.message_id)
        policies.clear()
        two = await office.plan(2)
        policies.append(ApprovalPolicy())
        person = office.engine.profile_of("u:u1")
        assert office.approving.demands.check(two, person, 0) is not None
        (ask,) = office.approving.demands.asks_again(two)
        assert ask.authors == ("bob", "ann")  # type: ignore[union-attr]

    in_office(tmp_path, settings({}), work, policies=lambda _: policies)


def test_names_that_are_nobodys(tmp_path: Path) -> None:
    """A misspelt author excludes nobody: the queue says so."""

    async def work(office: Office) -> None:
        await live(office, author="anne", approval={"of": "campaign"})
        (asked,) = office.approving.listed()
        note = authors_note(asked, office.engine)
        assert note == "No operator is called anne: nobody is excluded for that name."

    in_office(tmp_path, settings({}), work)


def test_the_form_does_not_tell_who_put_it() -> None:
    """Approval of a form holds whoever brings it; the author whom a file names is a part of it."""
    made, content = the_campaign(), a_content()
    assert replace(made, put_by="ann").version == made.version
    assert replace(made, author="ann").version != made.version
    assert replace(content, put_by="ann").version == content.version
    assert replace(content, author="ann").version != content.version


def test_a_form_that_comes_back_is_asked_for_again(tmp_path: Path) -> None:
    """It was pending when another took its place; whoever brings it back is an author of it as well."""

    async def work(office: Office) -> None:
        engine = office.engine
        await live(office, content="ann", approval={"of": "campaign"})
        (first,) = office.approving.listed()
        await engine.move([ContentPut(a_content(OTHER), "ann")])
        await office.approving.queue.round()
        assert office.approving.find(first.approval_id).status == "stale"
        await engine.move([ContentPut(a_content(), "bob")])
        await office.approving.queue.round()
        (again,) = office.approving.listed(status="pending")
        assert (again.approval_id, again.authors) == (first.approval_id, ("ann", "bob"))
        assert (await office.says("dot", "approve", first.approval_id)).status == "approved"

    in_office(tmp_path, settings({}), work)
