"""What is allowed before anybody has said anything, by law. Data, not advice: ask a lawyer for your case.

``opt_out``: allowed until the person says no. ``opt_in``: only after they said yes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from germane.domain.purposes import (
    ADVERTISING,
    CROSS_SITE,
    EMAIL_MARKETING,
    OFFLINE,
    PERSONALISATION,
    SENSITIVE,
    TRANSACTIONAL,
)
from germane.domain.settings import Jurisdiction

Rule = Literal["opt_in", "opt_out"]

LAWS: Mapping[Jurisdiction, Mapping[str, Rule]] = {
    # Germane's own default: personalisation by what people do in the product itself, all else on request.
    "first_party": {PERSONALISATION: "opt_out"},
    # Regulation (EU) 2016/679, art. 6(1)(a), 7, 9; directive 2002/58/EC, art. 5(3) and 13: yes comes first.
    "gdpr": {},
    # California Civil Code 1798.120, .121, .135: sale, sharing and use until refused; 15 U.S.C. 7704
    # (CAN-SPAM): mail until refused. Sensitive data wait for a yes here all the same.
    "ccpa": {
        PERSONALISATION: "opt_out",
        EMAIL_MARKETING: "opt_out",
        CROSS_SITE: "opt_out",
        OFFLINE: "opt_out",
        ADVERTISING: "opt_out",
        SENSITIVE: "opt_in",
    },
    # S.C. 2000, c. 5, schedule 1, principle 4.3 (implied consent where data are not sensitive and it is
    # expected); S.C. 2010, c. 23 (CASL), s. 6: mail only after a yes.
    "pipeda": {PERSONALISATION: "opt_out"},
}
"""Jurisdiction -> purpose -> rule. What is not named is ``opt_in``: default deny."""


def rule(jurisdiction: Jurisdiction, purpose: str) -> Rule:
    """How a purpose stands where nobody has said anything."""
    if purpose == TRANSACTIONAL:
        return "opt_out"
    return LAWS[jurisdiction].get(purpose, "opt_in")
