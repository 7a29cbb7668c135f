"""Requests that schemathesis makes from the contract: we never fail, and every answer is one that the contract has."""

import copy
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from settings_store.access.roles import Role
from tests.web.api import Api, running
from tests.web.test_changes import BOX, IMAP
from web.contract import described

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "2"))
SECONDS = 10
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]
ENDLESS = {"events.stream"}
"""What goes on until its reader leaves."""
ASKS_OTHERS = {"checks.create", "discoveries.create", "alert_channels.test", "webhook_endpoints.test"}
"""What connects to whatever it is told, which tests may not."""
SCHEMA = schemathesis.openapi.from_dict(described().openapi())
OPERATIONS = {
    operation.definition.raw["operationId"]: operation
    for operation in (each.ok() for each in SCHEMA.get_all_operations() if isinstance(each, Ok))
    if operation.definition.raw["operationId"] not in ENDLESS | ASKS_OTHERS
}
BOUNDED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A service without limits of rate; nobody works on what is saved."""
    rates: dict[str, Any] = dict.fromkeys(("web_rate_read", "web_rate_write", "web_rate_expensive"), 0)
    with running(tmp_path_factory.mktemp("house"), **rates) as api:
        yield api


@pytest.fixture(scope="module")
def known(house: Api) -> dict[str, str]:
    """What paths name, and is there."""
    save = {"settings": IMAP, "mailboxes": [BOX]}
    change = house.ask("POST", "/v1/domains/example.com/changes", save).body["id"]
    endpoint = house.ask("POST", "/v1/webhook-endpoints", {"url": "http://127.0.0.1:1/"}).body["id"]
    return {"domain": "example.com", "change_id": change, "endpoint_id": endpoint, "address": BOX["address"]}


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_whatever_is_sent(house: Api, known: dict[str, str], name: str) -> None:
    """Requests as they should be to what is there, and as they should not be to anything."""
    operation = OPERATIONS[name]
    named = {key: value for key, value in known.items() if f"{{{key}}}" in operation.path}
    right = operation.as_strategy(path_parameters=named or None)
    wrong = operation.as_strategy(GenerationMode.NEGATIVE)
    key = house.new_key(role=Role.OPERATOR) if name.startswith("accounts.") else house.key
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}

    @seed(20)
    @BOUNDED
    @given(case=st.one_of(right, wrong))
    def ask(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(
            base_url=house.url, session=house.session, headers=headers, checks=CHECKS, timeout=SECONDS
        )

    ask()


def test_an_answer_that_the_contract_does_not_have_is_found(house: Api) -> None:
    """Given a contract that is wrong about one operation: the checks see it."""
    wrong = copy.deepcopy(described().openapi())
    wrong["paths"]["/v1/me"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "integer"}
    case = schemathesis.openapi.from_dict(wrong)["/v1/me"]["GET"].Case()
    headers = {"Authorization": f"Bearer {house.key}"}
    with pytest.raises(FailureGroup, match="integer"):
        case.call_and_validate(base_url=house.url, session=house.session, headers=headers, checks=CHECKS)
