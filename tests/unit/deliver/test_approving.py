"""What a verdict, a change or the clock makes of an approval."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from germane.deliver import approving, gate
from germane.deliver.approval_stats import by_campaign
from germane.domain.approval import Answer, Approval, ApprovalPolicy, Verdict
from germane.domain.errors import (
    ApprovalClosed,
    ApprovalStale,
    NotApprover,
    ReasonNeeded,
    WrongMove,
)
from germane.domain.moves import Asked, Held, Released
from germane.domain.operator import Operator
from germane.testing.approvals import a_message

HOUR_MS = 3_600_000
PEOPLE = {
    each.name: each
    for each in (
        Operator("ann", ("approver",)),
        Operator("bob", ("approver", "editor")),
        Operator("cem", ("editor",)),
        Operator("dot", ("admin",)),
        Operator("eve", ("analyst",)),
        Operator("off", ("approver", "admin"), disabled=True),
        Operator("low", ("approver",), limit=5.0),
    )
}
MAIL = a_message(amounts={"discount": 15.0})[0]


def an_approval(
    *policies: ApprovalPolicy, authors: tuple[str, ...] = (), **more: object
) -> Approval:
    """Asked for at 0."""
    message = replace(MAIL, **more)
    asked = Asked(message.message_id, policies or (ApprovalPolicy(),), "germane", authors)
    return approving.asked(None, asked, message, 0)


def said(
    name: str, answer: Answer = "approve", digest: str = MAIL.digest, reason: str = ""
) -> Verdict:
    """A verdict, of what the message says by default."""
    return Verdict(name, answer, digest, 1, reason)


def judged(approval: Approval, *verdicts: Verdict, at_ms: int = 1) -> Approval:
    """After these verdicts."""
    for each in verdicts:
        approval = approving.judged(approval, each, PEOPLE.get, at_ms)
    return approval


def test_one_approver_is_enough_by_default() -> None:
    after = judged(an_approval(), said("ann"))
    assert (after.status, after.decided_ms) == ("approved", 1)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("cem", "role:approver or role:admin"),
        ("eve", "role:approver or role:admin"),
        ("off", "disabled"),
        ("nobody", "no operator"),
    ],
)
def test_who_may_not_approve_is_told_why(name: str, says: str) -> None:
    with pytest.raises(NotApprover, match=says):
        judged(an_approval(), said(name))


def test_a_quorum_is_of_different_people_who_may() -> None:
    two = an_approval(ApprovalPolicy(quorum=2))
    twice = judged(two, said("ann"), said("ann"))
    assert (twice.status, len(twice.verdicts)) == ("pending", 1)
    assert judged(twice, said("bob")).status == "approved"


def test_several_policies_must_each_be_met() -> None:
    both = an_approval(ApprovalPolicy(), ApprovalPolicy(approvers=("role:admin",)))
    assert judged(both, said("ann")).status == "pending"
    assert judged(both, said("ann"), said("dot")).status == "approved"
    assert judged(both, said("dot")).status == "approved", "an administrator is in both"


def test_who_is_disabled_afterwards_counts_no_longer() -> None:
    after = judged(an_approval(), said("ann"))
    gone = PEOPLE | {"ann": replace(PEOPLE["ann"], disabled=True)}
    assert approving.standing(after, gone.get) == "pending"
    other_role = PEOPLE | {"ann": replace(PEOPLE["ann"], roles=("analyst",))}
    assert approving.standing(after, other_role.get) == "pending"


def test_a_rejection_outranks_and_ends_it() -> None:
    two = an_approval(ApprovalPolicy(quorum=2))
    after = judged(two, said("ann"), said("bob", "reject", reason="Too much."))
    assert after.status == "rejected"
    with pytest.raises(ApprovalClosed):
        judged(after, said("dot"))


def test_an_approval_can_be_taken_back_by_a_rejection() -> None:
    after = judged(an_approval(), said("ann"), said("ann", "reject", reason="I was wrong."))
    assert (after.status, len(after.verdicts)) == ("rejected", 1)


def test_a_rejection_needs_a_reason_and_somebody_who_may() -> None:
    with pytest.raises(ReasonNeeded):
        judged(an_approval(), said("ann", "reject", reason="  "))
    with pytest.raises(NotApprover):
        judged(an_approval(), said("eve", "reject", reason="No."))
    mine = an_approval(authors=("cem",))
    assert judged(mine, said("cem", "reject", reason="Mine is wrong.")).status == "rejected"


def test_four_eyes() -> None:
    """Neither author nor last editor nor who asked; switched off where no amount is above a bound."""
    with pytest.raises(NotApprover, match="somebody else"):
        judged(an_approval(authors=("ann",)), said("ann"))
    with pytest.raises(NotApprover, match="somebody else"):
        judged(an_approval(edited_by="bob"), said("bob"))
    off = ApprovalPolicy(four_eyes=False)
    assert judged(an_approval(off, authors=("ann",)), said("ann")).status == "approved"
    over = ApprovalPolicy(four_eyes=False, amount="discount", over=10.0)
    with pytest.raises(NotApprover, match="somebody else"):
        judged(an_approval(over, authors=("ann",)), said("ann"))


def test_amounts() -> None:
    """Over the bound it is demanded; a role approves up to its limit; what is not known is above all."""
    over = ApprovalPolicy(amount="discount", over=20.0)
    assert approving.needed(an_approval(over)) == []
    assert approving.needed(an_approval(over, amounts={"discount": 20.01})) == [over]
    assert approving.needed(an_approval(over, amounts={})) == [over]
    assert approving.needed(an_approval(over, amounts={"discount": float("nan")})) == [over]
    limits = ApprovalPolicy(amount="discount", limits={"approver": 10.0, "admin": 100.0})
    with pytest.raises(NotApprover, match="up to 10"):
        judged(an_approval(limits), said("ann"))
    assert judged(an_approval(limits), said("dot")).status == "approved"
    with pytest.raises(NotApprover, match="not known"):
        judged(an_approval(limits, amounts={}), said("dot"))
    own = ApprovalPolicy(amount="discount")
    with pytest.raises(NotApprover, match="up to 5"):
        judged(an_approval(own), said("low"))
    assert judged(an_approval(own), said("ann")).status == "approved"


def test_another_text_is_another_thing() -> None:
    """Verdicts on the old digest stay readable, and count for nothing; old ones are refused."""
    after = judged(an_approval(), said("ann"))
    other = replace(MAIL, digest="d2", edited_by="bob")
    anew = approving.rewritten(after, other, 7)
    assert (anew.status, anew.verdicts, anew.editor) == ("pending", (), "bob")
    assert (anew.past[-1].digest, anew.past[-1].verdicts[0].operator) == (MAIL.digest, "ann")
    with pytest.raises(ApprovalStale):
        judged(anew, said("dot"))
    back = approving.rewritten(anew, MAIL, 9)
    assert approving.standing(back, PEOPLE.get) == "pending", (
        "the first text, but not approved anew"
    )


def test_too_late() -> None:
    policy = ApprovalPolicy(expires_s=3_600, remind_s=1_200)
    waiting = an_approval(policy, expires_ms=10 * HOUR_MS)
    assert (waiting.expires_ms, waiting.next_ms) == (HOUR_MS, HOUR_MS // 3)
    assert an_approval(policy, expires_ms=5).expires_ms == 5, "not longer than it is of any use"
    reminded = approving.reminded(waiting, HOUR_MS // 2)
    assert (reminded.reminders, reminded.next_ms) == (1, HOUR_MS // 2 + HOUR_MS // 3)
    with pytest.raises(WrongMove, match="still has time"):
        approving.lapsed(waiting, HOUR_MS - 1)
    with pytest.raises(ApprovalClosed):
        judged(waiting, said("ann"), at_ms=HOUR_MS)
    late = approving.lapsed(waiting, HOUR_MS)
    assert (late.status, late.next_ms) == ("expired", 0)


def test_asked_again_under_other_policies_the_verdicts_stand() -> None:
    one = judged(an_approval(), said("ann"))
    again = approving.asked(
        one, Asked(one.approval_id, (ApprovalPolicy(quorum=2),), "germane"), MAIL, 5
    )
    again = approving.counted(again, PEOPLE.get, 5)
    assert (again.status, len(again.verdicts)) == ("pending", 1)
    with pytest.raises(WrongMove, match="no policy"):
        approving.asked(one, Asked(one.approval_id, (), "germane"), MAIL, 5)


def test_the_gate() -> None:
    """Nothing passes but exactly what was approved."""
    waiting = replace(MAIL, status="approval", demands=(MAIL.message_id,), due_ms=50)
    yes = judged(an_approval(), said("ann"))

    def against(approval: Approval | None, message: object = waiting) -> str:
        return gate.against(message, lambda _: approval, PEOPLE.get)  # type: ignore[arg-type]

    assert against(yes) == ""
    assert "not asked for" in against(None)
    assert "is pending" in against(an_approval())
    assert "another form" in against(yes, replace(waiting, digest="d2"))
    assert "another form" in against(yes, replace(waiting, message_id="other"))
    released = gate.settled(waiting, lambda _: yes, PEOPLE.get, 60)
    assert isinstance(released, Released)
    assert (released.due_ms, released.why.text) == (60, "Approved by ann.")
    no = judged(an_approval(), said("ann", "reject", reason="Wrong tone."))
    held = gate.settled(waiting, lambda _: no, PEOPLE.get, 60)
    assert isinstance(held, Held)
    assert (held.status, held.why.text) == ("cancelled", "Rejected by ann: Wrong tone.")
    assert gate.settled(waiting, lambda _: an_approval(), PEOPLE.get, 60) is None


def test_reasons_are_counted_by_campaign() -> None:
    no = [
        judged(an_approval(), said("ann", "reject", reason=reason), at_ms=2 * HOUR_MS)
        for reason in ("Wrong tone", " wrong  TONE ", "Too dear")
    ]
    (found,) = by_campaign([*no, an_approval()])
    assert found.statuses == {"pending": 1, "rejected": 3}
    assert found.reasons == [("Wrong tone", 2), ("Too dear", 1)]
    assert found.hours == 2.0
