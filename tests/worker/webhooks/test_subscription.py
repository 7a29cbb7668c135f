"""Which types of events there are, and when an endpoint can hear of none."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from settings_store.webhooks.endpoints import WebhookEndpoint
from worker.webhooks.subscription import ALL, accept, why_nothing_arrives

ENDPOINT = WebhookEndpoint(
    id="e",
    account_id=1,
    url=b"",
    shown="",
    description="",
    types=(),
    domain_id=None,
    domain=None,
    signature="v1",
    secret=b"",
    old_secret=None,
    old_until=None,
    after_seq=0,
    created_at=0.0,
    failing_since=None,
    failures=0,
    disabled_at=None,
    disabled_why="",
)
WANTED = (
    *("change.verified", "change.applied", "change.rolled_back", "change.watch_failed", "run.stopped"),
    *("mailbox.disconnected", "mailbox.reconnected", "incident.opened", "incident.reminder", "incident.resolved"),
    *("notice.raised", "webhook_endpoint.disabled"),
)


def test_what_host_apps_want_is_there() -> None:
    assert set(WANTED) <= set(ALL)
    assert accept([*WANTED, "notice.raised"]) == WANTED


def test_the_documentation_has_every_type() -> None:
    text = (Path(__file__).parents[3] / "docs" / "api.md").read_text("utf-8")
    table = text.partition("<!-- event-types: begin -->")[2].partition("<!-- event-types: end -->")[0]
    assert sorted(re.findall(r"^\| `([a-z._]+)` \|", table, re.MULTILINE)) == list(ALL)


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        (ENDPOINT, None),
        (replace(ENDPOINT, types=("change.saved", "domain.removed"), domain_id=3), None),
        (replace(ENDPOINT, types=("domain.removed", "account.added"), domain_id=3), "it hears of one domain"),
        (replace(ENDPOINT, types=("change.praised",)), "there are no events of the types"),
        (replace(ENDPOINT, disabled_at=1.0, disabled_why="by an administrator"), "it is disabled: by an administrator"),
    ],
)
def test_one_that_hears_of_nothing_says_so(endpoint: WebhookEndpoint, why: str | None) -> None:
    found = why_nothing_arrives(endpoint)
    assert (found is None) if why is None else bool(found and found.startswith(why))
