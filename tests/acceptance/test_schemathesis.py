"""At least 5,000 generated requests over the whole API description: no 5xx, no breach of a schema."""

from __future__ import annotations

import contextlib
from collections import Counter

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from benchmarks import figures
from tests.acceptance.conftest import Server

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
LEAST = 5_000


def drive(
    server: Server,
    key: dict[str, str],
    label: str,
    strategy: object,
    share: int,
    counts: Counter[str],
    failures: list[str],
) -> None:
    """Send generated requests of one operation and note what does not hold."""

    @settings(
        max_examples=share,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)  # type: ignore[arg-type]
    def generated(case: schemathesis.Case) -> None:
        counts[label] += 1
        answer = case.call(headers=key, timeout=20)
        try:
            case.validate_response(answer, checks=CHECKS)
        except BaseExceptionGroup as group:
            failures.append(f"{label}: {group.exceptions[0]}")
        except Exception as error:  # all that fail are counted, not only the first
            failures.append(f"{label}: {error}")

    with contextlib.suppress(Unsatisfiable):  # there is nothing that could be wrong about some GETs
        generated()


def ends(case: schemathesis.Case) -> bool:
    """Whether it is answered and done: a stream of somebody's messages goes on."""
    asked = case.query or {}
    return not (case.path.endswith("/stream") and (asked.get("userId") or asked.get("anonymousId")))


def test_generated_requests(shared_server: Server) -> None:
    """Every operation gets its share of generated requests, right and wrong ones."""
    schema = schemathesis.openapi.from_url(f"{shared_server.url}/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]
    made = shared_server.api.post("/v1/keys", json={"scope": "admin"}).json()
    key = {"Authorization": f"Bearer {made['key']}"}  # once there is one, the server key opens less
    share = LEAST // len(operations) // 2 + 10
    counts: Counter[str] = Counter()
    failures: list[str] = []
    for operation in operations:
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            strategy = operation.as_strategy(generation_mode=mode).filter(ends)

            drive(shared_server, key, operation.label, strategy, share, counts, failures)
    total = sum(counts.values())
    command = "pytest tests/acceptance/test_schemathesis.py"
    figures.record("api.schemathesis_cases", total, n=total, command=command)
    figures.record("api.schemathesis_failures", len(failures), n=total, command=command)
    if failures:
        pytest.fail(
            f"{len(failures)} of {total} failed; the first:\n\n" + "\n\n".join(failures[:3])
        )
    assert total >= LEAST, counts
