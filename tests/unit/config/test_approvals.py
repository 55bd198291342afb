"""Policies of approval in the configuration: what they mean, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from germane.config import load_text
from germane.config.approvals import no_webhook, only_reminds, policies, stored
from germane.config.audit_folder import audit_folder
from germane.config.problems import Problems
from germane.domain.approval import ApprovalPolicy
from germane.domain.errors import ConfigInvalid
from germane.testing import a_shop


def test_all_of_it() -> None:
    problems = Problems()
    found = policies(
        {
            "approval": {
                "approvers": ["ann", "role:admin"],
                "quorum": 2,
                "amount": "discount",
                "over": 10,
                "limits": ["approver=500", "admin = 20000"],
                "expires_after": "2d",
                "remind_after": "6h",
                "email": {"of": "campaign"},
            }
        },
        problems,
    )
    assert problems.found == []
    assert found["email"] == ApprovalPolicy(of="campaign")
    assert found[""] == ApprovalPolicy(
        approvers=("ann", "role:admin"),
        quorum=2,
        amount="discount",
        over=10.0,
        limits={"approver": 500.0, "admin": 20_000.0},
        expires_s=2 * 86_400,
        remind_s=6 * 3_600,
    )


def test_only_a_channel() -> None:
    assert list(policies({"approval": {"email": {}}}, Problems())) == ["email"]
    assert list(policies({"approval": {}}, Problems())) == [""]
    assert policies({}, Problems()) == {}


@pytest.mark.parametrize(
    ("table", "key", "says"),
    [
        ({"quorums": 2}, "quorums", "Did you mean 'quorum'?"),
        ({"quorum": 0}, "quorum", "between 1 and 10"),
        ({"approvers": ["admin"]}, "approvers", 'Write "role:admin"'),
        ({"approvers": ["role:aprover"]}, "approvers", "Did you mean 'approver'?"),
        ({"approvers": ["ann"], "quorum": 2}, "quorum", "only 1 approvers"),
        ({"over": 5}, "amount", "over and limits are about an amount"),
        ({"amount": "price", "over": 5, "four_eyes": False}, "four_eyes", "cannot be switched off"),
        ({"amount": "price", "limits": ["approver"]}, "limits", "a role, = and an amount"),
        ({"amount": "price", "limits": ["aprover=5"]}, "limits", "Did you mean 'approver'?"),
        ({"of": "campaign", "amount": "price"}, "of", "A campaign has no amount"),
        ({"expires_after": "1d", "remind_after": "1d"}, "remind_after", "too late already"),
        ({"remind_after": "0s", "remind_by": "team"}, "remind_by", "there are no reminders"),
    ],
)
def test_every_error_says_what_to_do(table: dict[str, object], key: str, says: str) -> None:
    problems = Problems()
    policies({"approval": table}, problems)
    (found,) = problems.found
    assert found.key == f"delivery.approval.{key}"
    assert says in f"{found.problem} {found.remedy}"


@pytest.mark.parametrize(
    ("table", "remind_s"),
    [
        ({"expires_after": "3m"}, 90),
        ({"expires_after": "1d"}, 43_200),
        ({"expires_after": "9d"}, 86_400),
        ({"expires_after": "3m", "remind_after": "0s"}, 0),
        ({"of": "each"}, 86_400),
    ],
)
def test_reminders_come_before_it_is_too_late(table: dict[str, object], remind_s: int) -> None:
    problems = Problems()
    found = policies({"approval": table}, problems)
    assert (problems.found, found[""].remind_s) == ([], remind_s)


def test_both_times_are_named_where_they_do_not_fit() -> None:
    for table, says in (
        ({"expires_after": "3m", "remind_after": "1h"}, "expires_after is 3m."),
        ({"remind_after": "8d"}, "expires_after is 7d, its default."),
    ):
        problems = Problems()
        policies({"approval": table}, problems)
        (wrong,) = problems.found
        assert wrong.value == table["remind_after"]
        assert says in wrong.problem


def test_what_cannot_be_read_any_more_demands_approval_still() -> None:
    assert stored({}) is None
    assert stored({"quorum": "two", "gone": 1}) == ApprovalPolicy()


def test_the_table_of_a_webhook_is_toml_whatever_its_name_is() -> None:
    assert "[channels.webhook.team]" in no_webhook("webhook:team", ())[1]
    assert '[channels.webhook."order desk"]' in no_webhook("webhook:order desk", ())[1]
    assert '[channels.webhook."größe"]' in only_reminds("größe", ())[1]


def test_reminders_go_by_a_webhook_that_is_there(tmp_path: Path) -> None:
    """Of the project: an error. Of a campaign: an error of the audit, and what keeps it from going live."""
    hook = '[channels.webhook.team]\nurl = "https://hooks.example/x"\n'
    secret = {"GERMANE_CHANNELS__WEBHOOK__TEAM__SECRET": "whsec_" + "QUFB" * 11}
    reminds = '[delivery.approval.email]\nremind_by = "{}"\n'
    found = load_text(hook + reminds.format("team"), secret)
    assert found.settings.approvals["email"].remind_by == "team"
    with pytest.raises(ConfigInvalid) as wrong:
        load_text(hook + reminds.format("taem"), secret)
    (error,) = wrong.value.details["errors"]
    assert error["key"] == "delivery.approval.email.remind_by"
    assert "Did you mean 'team'?" in error["remedy"]
    with pytest.raises(ConfigInvalid, match="none is called so"):
        load_text(reminds.format("team"), {})
    (tmp_path / "weekly.toml").write_text(
        'content = "x"\n[enter]\nevent = "Signed Up"\n[approval]\nremind_by = "team"\n'
    )
    said = [
        each.text
        for hooks in ((), ("team",))
        for each in audit_folder(a_shop(), tmp_path, tmp_path / "content", hooks)
        if "none is called so" in each.text
    ]
    assert said == [
        "campaigns/weekly: Reminders would go by webhook 'team', and none is called so."
    ]


def test_a_campaign_goes_by_a_webhook_that_is_there(tmp_path: Path) -> None:
    """What is wrong with one is said although another one cannot be read at all."""
    weekly = tmp_path / "weekly.toml"
    start = 'channel = "webhook"\n{}content = "x"\n[enter]\nevent = "Signed Up"\n'
    weekly.write_text(start.format('webhook = "push"\n'))
    (tmp_path / "broken.toml").write_text('chanel = "webhook"\n')

    def said(hooks: tuple[str, ...], reminding: tuple[str, ...] = ()) -> list[str]:
        found = audit_folder(a_shop(), tmp_path, tmp_path / "content", hooks, reminding)
        assert any("broken.toml" in each.text for each in found)
        return [f"{x.text} {x.remedy}" for x in found if x.text.startswith("campaigns/weekly: I")]

    assert said(("push", "chat")) == []
    (gone,) = said(("pusch", "chat"))
    assert "Its messages would go by webhook 'push', and none is called so." in gone
    assert "Did you mean 'pusch'?" in gone
    (reminds,) = said(("push", "chat"), ("push",))
    assert "for reminders of approvals alone" in reminds
    assert "or name another one: chat" in reminds
    weekly.write_text(start.format(""))
    assert said(("push",)) == []
    assert said(("push", "team"), ("team",)) == []
    (open_,) = said(("push", "chat"))
    assert "does not say by which: there are chat, push." in open_
