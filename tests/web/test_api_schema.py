"""The interface keeps what /api/openapi.json promises, whatever it is sent: schemathesis makes the requests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from api_office import ADMIN, ApiOffice, api_office, bearer, give_token, join
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection

pytestmark = pytest.mark.servers

_CONFIG = SchemathesisConfig.from_dict(
    {
        "seed": 1,
        "checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "401", "403", "404", "409", "422"]}},
    }
)
_LENIENT = [negative_data_rejection]
"""An address may say limit=05 or disabled=yes and is understood. Bodies are read strictly: test_api.py."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiOffice]:
    with api_office(tmp_path_factory.mktemp("schema") / "w") as made:
        session = made.served.session
        join(session, "everything", "owner", "builder", "supervisor", "authority", "finance")
        made.tokens["everything"] = give_token(session, "everything")
        yield made


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_every_operation_answers_as_described(office: ApiOffice, mode: GenerationMode) -> None:
    with office.by(ADMIN) as client:
        schema = schemathesis.openapi.from_dict(client.get("/api/openapi.json").json(), config=_CONFIG)
    broken, asked = {}, 0
    for found in schema.get_all_operations():
        operation = found.ok()
        try:
            _ask(office, operation, operation.as_strategy(generation_mode=mode))
        except (FailureGroup, Failure) as failure:
            broken[operation.label] = str(failure)
        except Unsatisfiable:
            continue  # nothing can be wrong about a request without parameters
        asked += 1
    assert broken == {}, "\n\n".join(f"{label}: {text}" for label, text in broken.items())
    assert asked > 50


def _ask(office: ApiOffice, operation: Any, cases: Any) -> None:
    login = ADMIN if "accounts" in operation.definition.raw["tags"] else "everything"

    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
    @given(cases)
    def ask(case: Any) -> None:
        # A search takes as long as it is allowed to.
        if (
            operation.path == "/api/plans"
            and isinstance(case.body, dict)
            and case.body.get("limit_s", 10) in range(1, 61)
        ):
            case.body["limit_s"] = 1
        case.call_and_validate(
            base_url=office.served.address, headers=bearer(office.tokens[login]), excluded_checks=_LENIENT, timeout=60
        )

    ask()
