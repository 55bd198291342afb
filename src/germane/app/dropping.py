"""What waits in a campaign goes with it: one that ends, or is dry again, sends nothing that it made before."""

from __future__ import annotations

from germane.app.engine import Engine
from germane.app.pace import Pace
from germane.app.sends import WAITING
from germane.domain.message import Why
from germane.domain.moves import Held, Lapsed

PAGE = 500
SAID = {
    "ended": "Its campaign was ended before it went out.",
    "dry": "Its campaign was made dry before it went out.",
}
"""By the status of a campaign that sends nothing, and holds nothing either."""


async def drop_waiting(engine: Engine, campaign: str) -> int:
    """Take back what waits in a campaign that ended, or is dry; how many messages. It gives way to others, and
    stops when the campaign is live again. What was taken back holds no place under a cap any more, and of one
    that ended nothing waits for approval."""
    dropped, pace = 0, Pace()
    for status in WAITING:
        after = ""
        while page := engine.entries.page(
            engine.tenant, "message", topic=campaign, status=status, after=after, limit=PAGE
        ):
            after = page[-1].key
            for each in page:
                stands = engine.library.campaigns[campaign].status
                if stands not in SAID:
                    return dropped
                known = engine.moving.message(engine.tenant, each.key)
                if known is not None and known.status in WAITING:
                    why = Why(engine.world.now_ms(), f"campaign.{stands}", SAID[stands])
                    engine.put_moves([Held(each.key, "cancelled", 0, why)])
                    dropped += 1
                await pace.breathe()
            await engine.durable()
    await _close_approvals(engine, campaign, pace)
    return dropped


async def _close_approvals(engine: Engine, campaign: str, pace: Pace) -> None:
    """What is still to be approved of a campaign that ended is over."""
    known, after = engine.moving.approvals, ""
    while page := engine.entries.page(
        engine.tenant, "approval", topic=campaign, status="pending", after=after, limit=PAGE
    ):
        after = page[-1].key
        for each in page:
            found = known.find(engine.tenant, each.key)
            if found is None or not known.over(engine.tenant, found):
                return
            if found.status == "pending":
                engine.put_moves([Lapsed(each.key)])
            await pace.breathe()
        await engine.durable()


async def drop_left(engine: Engine) -> int:
    """The same of all campaigns, once at a start: what the last process left half done."""
    return sum([await drop_waiting(engine, each) for each in sorted(engine.library.campaigns)])
