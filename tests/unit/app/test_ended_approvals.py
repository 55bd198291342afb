"""What waits for a person is over when its campaign has ended: it is stale, and nobody can approve it."""

from __future__ import annotations

from pathlib import Path

import pytest

from germane.app.delivery import Delivery
from germane.app.dropping import drop_left, drop_waiting
from germane.domain.approval import ApprovalPolicy
from germane.domain.campaign import Status
from germane.domain.errors import ApprovalClosed
from germane.domain.moves import CampaignPut, CampaignTurned, ContentPut, Lapsed, Stated
from germane.testing import FakeWorld, an_event
from tests.unit.app.test_approving import (
    SAID,
    Office,
    Sink,
    a_content,
    in_office,
    settings,
    the_campaign,
)

REMINDED = ApprovalPolicy(of="campaign", expires_s=9 * 86_400, remind_s=86_400)


async def put(office: Office) -> None:
    """A live campaign that waits for approval as a whole."""
    campaign = the_campaign()
    await office.engine.move([ContentPut(a_content()), CampaignPut(campaign)])
    await turned(office, "live")
    await office.approving.queue.round()


async def turned(office: Office, status: Status) -> None:
    """It stands otherwise; nothing that follows is done yet."""
    await office.engine.move([CampaignTurned("weekly", status, SAID)])


def test_it_is_stale_as_soon_as_the_campaign_has_ended(tmp_path: Path) -> None:
    """In each list, before and after it is written down."""

    async def work(office: Office) -> None:
        await put(office)
        (asked,) = office.approving.listed(status="pending")
        await turned(office, "ended")
        for _ in range(2):
            assert office.approving.listed(status="pending") == []
            assert office.approving.listed(status="pending", campaign="weekly") == []
            for found in (
                office.approving.find(asked.approval_id),
                *office.approving.listed(status="stale"),
                *office.approving.listed(status="stale", campaign="weekly"),
                *office.approving.listed(),
            ):
                assert (found.approval_id, found.status) == (asked.approval_id, "stale")
            assert [x.statuses for x in office.approving.stats()] == [{"stale": 1}]
            await drop_waiting(office.engine, "weekly")
        kept = office.engine.moving.approvals.find(office.engine.tenant, asked.approval_id)
        assert kept is not None
        assert (kept.status, kept.next_ms) == ("stale", 0)

    in_office(tmp_path, settings({}), work)


@pytest.mark.parametrize("answer", ["approve", "reject"])
def test_nobody_can_answer_any_more(tmp_path: Path, answer: str) -> None:
    """Alone or among many, also before it is written down; the error says why, and what to do."""

    async def work(office: Office) -> None:
        await put(office)
        (asked,) = office.approving.listed(status="pending")
        await turned(office, "ended")
        for _ in range(2):
            with pytest.raises(ApprovalClosed, match="weekly has ended") as error:
                await office.says("ann", answer, asked.approval_id, "No.")
            assert "germane campaign live weekly" in error.value.hint
            those = [(asked.approval_id, asked.digest)]
            found = await office.approving.judge_many(
                those,
                office.operator("ann"),
                answer,  # type: ignore[arg-type]
                reason="No.",
            )
            assert [str(each) for each in found.values()] == [str(error.value)]
            await drop_waiting(office.engine, "weekly")

    in_office(tmp_path, settings({}), work)


def test_a_message_of_it(tmp_path: Path) -> None:
    """It is cancelled with its campaign; while that is on its way it cannot be approved or changed."""
    each = ApprovalPolicy()

    async def work(office: Office) -> None:
        await put(office)
        message = await office.plan(campaign="weekly")
        await turned(office, "ended")
        with pytest.raises(ApprovalClosed, match="weekly has ended"):
            await office.says("ann", "approve", message.message_id)
        assert office.approving.listed(status="pending") == []
        await drop_waiting(office.engine, "weekly")
        assert office.message(message).status == "cancelled"
        assert office.approving.find(message.message_id).status == "stale"

    in_office(tmp_path, settings({"": each}), work)


def test_what_was_decided_stays_so(tmp_path: Path) -> None:
    """An approval that was given is told as given."""

    async def work(office: Office) -> None:
        await put(office)
        (asked,) = office.approving.listed(status="pending")
        await office.says("ann", "approve", asked.approval_id)
        await turned(office, "ended")
        await drop_waiting(office.engine, "weekly")
        assert office.approving.find(asked.approval_id).status == "approved"

    in_office(tmp_path, settings({}), work)


def test_nobody_is_reminded_of_it(tmp_path: Path) -> None:
    """A folder in which it was left pending: the clock finds it over."""
    world = FakeWorld()

    async def work(office: Office) -> None:
        await put(office)
        (asked,) = office.approving.listed(status="pending")
        await turned(office, "ended")
        world.advance(days=2)
        assert await office.approving.queue.round() == 1
        assert office.reminded == []
        assert await office.approving.queue.round() == 0
        assert office.approving.find(asked.approval_id).status == "stale"

    in_office(tmp_path, settings({"": REMINDED}), work, world)


def test_a_start_closes_what_was_left(tmp_path: Path) -> None:
    """Of campaigns that had ended before; of others nothing."""

    async def work(office: Office) -> None:
        await put(office)
        (asked,) = office.approving.listed(status="pending")
        await drop_left(office.engine)
        assert len(office.approving.listed(status="pending")) == 1
        await turned(office, "ended")
        await drop_left(office.engine)
        kept = office.engine.moving.approvals.find(office.engine.tenant, asked.approval_id)
        assert kept is not None
        assert kept.status == "stale"
        with pytest.raises(ApprovalClosed):
            await office.engine.move([Lapsed(asked.approval_id)])

    in_office(tmp_path, settings({}), work)


def test_live_again_it_is_asked_for_anew(tmp_path: Path) -> None:
    """The same form: it can be approved then, and goes out."""

    async def work(office: Office) -> None:
        sink = Sink()
        delivery = Delivery(office.engine, {"email": sink}, lambda _: None)  # type: ignore[arg-type,return-value]
        await put(office)
        (asked,) = office.approving.listed(status="pending")
        await turned(office, "ended")
        await drop_waiting(office.engine, "weekly")
        await turned(office, "live")
        await delivery.idle()
        (again,) = office.approving.listed(status="pending")
        assert again.approval_id == asked.approval_id
        await office.says("ann", "approve", again.approval_id)
        assert office.approving.find(asked.approval_id).status == "approved"

    in_office(tmp_path, settings({}), work)


def test_a_campaign_that_pauses_still_waits(tmp_path: Path) -> None:
    """It may go on: approving it meanwhile makes sense."""

    async def work(office: Office) -> None:
        await put(office)
        await office.engine.move([Stated("u:u1", "email_marketing", True, "test")])
        await office.engine.accept([an_event()])
        await turned(office, "paused")
        (asked,) = office.approving.listed(status="pending")
        await office.says("ann", "approve", asked.approval_id)
        assert office.approving.find(asked.approval_id).status == "approved"

    in_office(tmp_path, settings({}), work)
