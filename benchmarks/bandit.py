"""Choices among a few actions, and off-policy estimates: `just bench bandit`.

Open Bandit: the value of Bernoulli Thompson sampling (bts) from the random policy's log, by IPS, SNIPS and
doubly robust, against the click rate that bts had; the reverse; and how often such intervals hold a
known truth. Hillstrom: the engine's own choice of an e-mail or none, learned on four fifths of the customers
and judged on the rest by doubly robust and IPS (assignment was random, 1/3 each), against the best single
choice: that of the training folds, and the best in hindsight; five divisions, averaged by customer. A
simulated shop: regret and calibration where acting per person pays, and where it does not. Intervals: 95 %,
bootstrap-t, over customers or rows.
"""

from __future__ import annotations

import math
from typing import Any

from benchmarks.choice import hillstrom, openbandit, simulated
from benchmarks.figures import record, write_result

COMMAND = "just bench bandit"


def main() -> None:
    """Measure all three, keep the results, record the figures."""
    open_bandit = openbandit.measure()
    _say("open bandit", open_bandit["bts_from_random"])
    mail = hillstrom.measure()
    _say("hillstrom", {k: v for k, v in mail.items() if k.startswith("loss")})
    shop = simulated.measure()
    write_result(
        "bandit",
        {
            "protocol": __doc__,
            "open_bandit": open_bandit,
            "hillstrom": mail,
            "simulated": shop,
        },
    )
    record(
        "ope.open_bandit_covers_truth",
        float(open_bandit["covers"]),
        n=open_bandit["rows"]["random"],
        command=COMMAND,
    )
    loss = mail["loss_vs_hindsight"]["dr"]["value"]
    record(
        "bandit.hillstrom_loss_vs_best_constant",
        0.0 if math.isclose(loss, 0.0, abs_tol=1e-15) else loss,
        n=mail["customers"],
        command=COMMAND,
    )


def _say(name: str, found: dict[str, Any]) -> None:
    print(name)
    for key, value in found.items():
        print("  ", key, value)


if __name__ == "__main__":
    main()
