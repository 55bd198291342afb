"""Reminders of approvals reach somebody: a real HTTP server gets them, signed, once each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from standardwebhooks.webhooks import Webhook

from germane.app.channels import WEBHOOK, ways_of
from germane.app.delivery import Delivery
from germane.app.postbox import Postbox
from germane.app.sends import messages_with
from germane.config.channels import ChannelsSpec, WebhookSpec
from germane.domain.approval import ApprovalPolicy
from germane.domain.message import Message
from germane.domain.moves import CampaignPut, CampaignTurned, ContentPut
from germane.testing import FakeWorld
from germane.testing.approvals import a_message, planned
from tests.unit.app.test_approving import (
    SAID,
    Office,
    a_content,
    in_office,
    settings,
    the_campaign,
)
from tests.unit.deliver.channels.test_webhook import SECRET, Receiver, answering

POLICY = ApprovalPolicy(remind_s=86_400, expires_s=5 * 86_400, remind_by="team", quorum=2)
Act = Callable[[Office, Delivery, Receiver], Coroutine[Any, Any, None]]


def reminded(
    tmp_path: Path,
    world: FakeWorld,
    receiver: Receiver | Callable[..., Any],
    act: Act,
    *,
    policy: ApprovalPolicy = POLICY,
    timeout_s: int = 2,
) -> None:
    """``act`` with delivery as it is configured, and a receiver that listens; a rebuild gives the same."""

    async def work(office: Office) -> None:
        server = await asyncio.start_server(receiver, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        hook = WebhookSpec(
            name="team", url=f"http://127.0.0.1:{port}/in", secret=SECRET, timeout_s=timeout_s
        )
        spec = ChannelsSpec(webhooks={"team": hook}, allowed_hosts=frozenset(["127.0.0.1"]))
        delivery = Postbox(office.engine, spec).delivery()
        try:
            await act(office, delivery, receiver)  # type: ignore[arg-type]
        finally:
            server.close()
            await server.wait_closed()

    in_office(tmp_path, settings({"": policy}), work, world)


async def one_waits(office: Office, number: int = 1) -> Message:
    message, data = a_message(number, amounts={"discount": 20.0})
    await office.engine.move(planned(office.approving.demands, message, data))
    return office.message(message)


def told(office: Office) -> list[Message]:
    """The reminders in the outbox, the newest first."""
    return [x for x in messages_with(office.engine, "", "") if x.channel == f"{WEBHOOK}team"]


def test_a_reminder_is_sent_once_and_signed(tmp_path: Path) -> None:
    world, receiver = FakeWorld(), Receiver(answering(200), answering(204))

    async def act(office: Office, delivery: Delivery, _: Receiver) -> None:
        message = await one_waits(office)
        await delivery.idle()
        assert receiver.got == []
        world.advance(days=1)
        for _again in range(2):
            await delivery.idle()
        ((headers, body),) = receiver.got
        said = Webhook(SECRET).verify(body, headers)
        assert said["type"] == "approval.reminder"
        assert said["campaign"] == "weekly"
        assert said["messageId"] == headers["webhook-id"]
        about = said["payload"]
        assert about["text"] == "A message of campaign weekly has waited for approval for 24 hours."
        assert (about["approvalId"], about["digest"]) == (message.message_id, message.digest)
        assert (about["personId"], about["amounts"]) == ("u:u1", {"discount": 20.0})
        assert about["demanded"] == [{"approvers": ["role:approver", "role:admin"], "quorum": 2}]
        world.advance(days=1)
        await delivery.idle()
        assert [json.loads(each[1])["payload"]["reminder"] for each in receiver.got] == [1, 2]
        assert receiver.got[0][0]["webhook-id"] != receiver.got[1][0]["webhook-id"]

    reminded(tmp_path, world, receiver, act)


def test_it_is_tried_again_until_it_is_taken(tmp_path: Path) -> None:
    """With the same id and the same words; in the log of the server it stands in any case."""
    world, receiver = FakeWorld(), Receiver(answering(500), answering(200))

    async def act(office: Office, delivery: Delivery, _: Receiver) -> None:
        await one_waits(office)
        world.advance(days=1)
        await delivery.idle()
        (waits,) = told(office)
        assert (waits.status, waits.attempts) == ("queued", 1)
        world.advance(seconds=90)
        await delivery.idle()
        (one, first), (two, second) = receiver.got
        assert (one["webhook-id"], first) == (two["webhook-id"], second)
        assert told(office)[0].status == "sent"

    reminded(tmp_path, world, receiver, act)


def test_what_was_decided_meanwhile_reminds_nobody(tmp_path: Path) -> None:
    world, receiver = FakeWorld(), Receiver(answering(500))

    async def act(office: Office, delivery: Delivery, _: Receiver) -> None:
        message = await one_waits(office)
        world.advance(days=1)
        await delivery.idle()
        await office.says("ann", "reject", message.message_id, "No.")
        world.advance(seconds=90)
        await delivery.idle()
        (dropped,) = told(office)
        assert (dropped.status, dropped.whys[-1].code) == ("cancelled", "approval.closed")
        assert len(receiver.got) == 1

    reminded(tmp_path, world, receiver, act)


def test_a_receiver_that_hangs_holds_nobody_up(tmp_path: Path) -> None:
    world, called = FakeWorld(), asyncio.Event()

    async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await reader.read()  # until the other side gives up
        writer.close()

    async def act(office: Office, delivery: Delivery, _: Receiver) -> None:
        one, two = await one_waits(office), await one_waits(office, 2)
        world.advance(days=1)
        delivery.start()
        await asyncio.wait_for(called.wait(), 10)
        for name in ("ann", "bob"):
            await office.says(name, "approve", one.message_id)
        assert office.approving.find(one.message_id).status == "approved"
        assert office.approving.find(two.message_id).status == "pending"
        await delivery.stop()
        assert {x.whys[-1].code for x in told(office)} <= {"webhook.no_answer", "approval.closed"}

    reminded(tmp_path, world, hangs, act, timeout_s=1)


def test_a_campaign_that_waits(tmp_path: Path) -> None:
    """By its own policy; with its authors, so that nobody asks those."""
    world, receiver = FakeWorld(), Receiver(answering(200))

    async def act(office: Office, delivery: Delivery, _: Receiver) -> None:
        own = {"of": "campaign", "remind_after": "2h", "remind_by": "team"}
        await office.engine.move(
            [
                ContentPut(a_content(), "bob"),
                CampaignPut(the_campaign(approval=own), "ann"),
                CampaignTurned("weekly", "live", SAID),
            ]
        )
        await delivery.idle()
        world.advance(seconds=2 * 3600)
        await delivery.idle()
        ((_headers, body),) = receiver.got
        about = json.loads(body)["payload"]
        assert about["text"] == "Campaign weekly has waited for approval for 2 hours."
        assert (about["subject"], about["authors"]) == ("campaign", ["ann", "bob"])

    reminded(tmp_path, world, receiver, act, policy=ApprovalPolicy(amount="price", over=1e9))


def test_where_no_webhook_is_named_the_log_alone_has_it(tmp_path: Path, caplog: Any) -> None:
    world, receiver = FakeWorld(), Receiver()

    async def act(office: Office, delivery: Delivery, _: Receiver) -> None:
        message = await one_waits(office)
        world.advance(days=1)
        await delivery.idle()
        assert told(office) == []
        assert office.approving.find(message.message_id).reminders == 1
        assert "waits for 24.0 hours" in caplog.text

    reminded(tmp_path, world, receiver, act, policy=replace(POLICY, remind_by=""))


def test_a_webhook_for_reminders_alone_is_no_channel_of_campaigns() -> None:
    """So that a project keeps the one webhook that its campaigns need not name."""
    push = WebhookSpec(name="push", url="https://push.example/in", secret=SECRET)
    team = replace(push, name="team", messages=False)
    assert "webhook" in ways_of(ChannelsSpec(webhooks={"push": push, "team": team})).channels
    assert "webhook" not in ways_of(ChannelsSpec(webhooks={"team": team})).channels
    both = {"push": push, "team": replace(team, messages=True)}
    assert "webhook" not in ways_of(ChannelsSpec(webhooks=both)).channels
