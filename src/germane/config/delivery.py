"""``[delivery]``: quiet hours, window, caps, spread and deadline for every message."""

from __future__ import annotations

from typing import Any

from germane.config import campaign_tables as tables
from germane.config.problems import Problems
from germane.config.reading import read
from germane.domain.hours import known_zone
from germane.domain.settings import CapSpec, DeliverySpec
from germane.domain.walltime import span_of

DAY_S = 86_400
_SPAN = 'Write from and until: "22:00-07:00".'


def delivery(table: dict[str, Any], problems: Problems) -> DeliverySpec:
    """The table, typed; what is wrong is noted and left out."""
    values = read(table, tables.DELIVERY, "delivery", problems, also=("caps", "approval"))
    quiet = values.pop("quiet_hours", None)
    window = values.pop("window", "")
    if quiet is not None:
        values["quiet_hours"] = (
            None if quiet == "none" else span("delivery.quiet_hours", quiet, problems)
        )
    if window:
        values["window"] = span("delivery.window", window, problems)
    for name in ("spread", "deadline"):
        if name in values:
            values[f"{name}_s"] = values.pop(name)
    zone = values.get("zone", "")
    if zone and known_zone(zone) is None:
        problems.add(
            "delivery.zone",
            zone,
            "No such time zone is known to tzdata.",
            "Write it like Europe/Berlin or UTC.",
        )
    if "caps" in table:
        values["caps"] = _caps(table["caps"], problems)
    return DeliverySpec(**values)


def span(key: str, text: str, problems: Problems) -> tuple[int, int] | None:
    """Minutes of a span of the day; ``None`` with an error noted."""
    found = span_of(text)
    if found is None:
        problems.add(key, text, "It is no span of the day, or an empty one.", _SPAN)
    return found


def _caps(rows: Any, problems: Problems) -> tuple[CapSpec, ...]:
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        problems.add(
            "delivery.caps",
            None,
            "It must be a list of tables.",
            "Write [[delivery.caps]] before each.",
        )
        return ()
    out = []
    for place, table in enumerate(rows):
        path = f"delivery.caps[{place}]"
        values = read(table, tables.CAP, path, problems)
        if not {"count", "per"} <= values.keys():
            continue
        per = values.pop("per")
        if values.get("calendar") and per % DAY_S:
            problems.add(
                f"{path}.per",
                table["per"],
                "Calendar days are whole.",
                'Write it in days: "1d", "7d".',
            )
        out.append(CapSpec(per_s=per, **values))
    return tuple(out)
