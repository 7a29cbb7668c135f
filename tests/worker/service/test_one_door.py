"""No use case reaches another account's rows: with their ids it answers as with ids that nobody has."""

import inspect
import io
import re
import shutil
import time
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from checks.language import Language
from checks.model import Invalid, Unknown
from settings_store.access.api_keys import KeyRequest
from settings_store.access.roles import Role
from settings_store.alerts.channels import Subscription
from settings_store.audit import SERVICE
from settings_store.events.events import Searched
from settings_store.mailboxes.listing import Filter
from settings_store.webhooks.deliveries import Range
from tests.servers.postgres import PostgresServer
from tests.servers.stores import sqlite_store
from tests.worker.service.their_account import SETTINGS, Ids, TheirAccount, ids_of_nobody, their_account
from worker.changes.report_rows import EVERY
from worker.service.account import Account
from worker.service.bound_to import Binding
from worker.service.mailboxes import Form
from worker.service.preflight import Preflight
from worker.service.webhooks import EndpointRequest

Call = Callable[[Account, Ids], object]
URL = "json://127.0.0.1:1/"


def _parts() -> dict[str, type]:
    """The parts of an account, by name."""
    to_nothing = SimpleNamespace(database=None, account_id=0, actor=None)  # they are only made, and asked nothing
    account = Account(typing.cast(Binding, to_nothing))
    return {name: type(getattr(account, name)) for name, item in vars(Account).items() if hasattr(item, "attrname")}


def _public_of_all() -> dict[str, typing.Any]:
    """Every public attribute of every part: `changes.save`."""
    return {
        f"{part}.{name}": item
        for part, kind in _parts().items()
        for name, item in inspect.getmembers(kind)
        if not name.startswith("_")
    }


def _announce_soon(account: Account, domain: str) -> object:
    now = time.time()
    return account.maintenance.announce(domain, now + 60, now + 120)


def _body(ids: Ids) -> io.BytesIO:
    return io.BytesIO(ids.file.read_bytes())


CALLS: list[tuple[str, Call]] = [
    ("changes.save", lambda account, ids: account.changes.save(ids.domain, SETTINGS)),
    ("changes.save", lambda account, ids: account.changes.save(ids.domain, SETTINGS, ids.file)),
    ("changes.report", lambda account, ids: account.changes.report(ids.verified)),
    ("changes.apply", lambda account, ids: account.changes.apply(ids.verified)),
    ("changes.approve", lambda account, ids: account.changes.approve(ids.verified)),
    ("changes.roll_back", lambda account, ids: account.changes.roll_back(ids.applied)),
    ("changes.discard", lambda account, ids: account.changes.discard(ids.verified)),
    ("changes.cancel", lambda account, ids: account.changes.cancel(ids.verifying)),
    ("changes.reopen", lambda account, ids: account.changes.reopen(ids.discarded)),
    ("changes.verify_again", lambda account, ids: account.changes.verify_again(ids.verified)),
    ("changes.resume", lambda account, ids: account.changes.resume(ids.untried)),
    ("changes.of_domain", lambda account, ids: account.changes.of_domain(ids.domain, 9)),
    ("changes.look", lambda account, ids: account.changes.look(ids.verified)),
    ("changes.checksum", lambda account, ids: account.changes.checksum(ids.verified)),
    ("changes.mailboxes", lambda account, ids: account.changes.mailboxes(ids.verified, EVERY, "", 10)),
    ("changes.live", lambda account, ids: account.changes.live(ids.verified, Language.EN)),
    ("changes.domain_of", lambda account, ids: account.changes.domain_of(ids.verified)),
    ("changes.reviewed", lambda account, ids: account.changes.reviewed(ids.verified)),
    ("changes.stale", lambda account, ids: account.changes.stale(ids.verified)),
    ("changes.save", lambda account, ids: account.changes.save(ids.domain, SETTINGS, corrects=ids.verified)),
    ("changes.page", lambda account, ids: account.changes.page(ids.domain, 10)),
    ("letters.of_change", lambda account, ids: account.letters.of_change(ids.verified)),
    ("letters.of_report", lambda account, ids: account.letters.of_report(account.changes.report(ids.verified))),
    ("changes.history", lambda account, ids: account.changes.history(ids.applied)),
    ("runs.follow", lambda account, ids: next(account.runs.follow(ids.run, timeout=1))),
    ("runs.progress", lambda account, ids: account.runs.progress(ids.run)),
    ("mailboxes.import_file", lambda account, ids: account.mailboxes.import_file(ids.domain, ids.file)),
    ("mailboxes.import_rows", lambda account, ids: account.mailboxes.import_rows(ids.domain, _body(ids), Form.CSV)),
    ("mailboxes.page", lambda account, ids: account.mailboxes.page(ids.domain, Filter(), "", 100)),
    ("mailboxes.look", lambda account, ids: account.mailboxes.look(ids.domain, "nobody@" + ids.domain)),
    ("mailboxes.forget_rejections", lambda account, ids: account.mailboxes.forget_rejections(ids.domain)),
    ("mailboxes.of_domain", lambda account, ids: account.mailboxes.of_domain(ids.domain)),
    ("mailboxes.remove", lambda account, ids: account.mailboxes.remove(ids.domain, ["nobody@" + ids.domain])),
    ("domains.set_approval", lambda account, ids: account.domains.set_approval(ids.domain, needed=True)),
    ("domains.what_ends", lambda account, ids: account.domains.what_ends(ids.domain)),
    ("domains.remove", lambda account, ids: account.domains.remove(ids.domain)),
    ("domains.history", lambda account, ids: account.domains.history(ids.domain)),
    ("domains.timeline", lambda account, ids: account.domains.timeline(ids.domain)),
    ("domains.summaries", lambda account, _: account.domains.summaries()),
    ("domains.page", lambda account, _: account.domains.page("", 100)),
    ("domains.summary", lambda account, ids: account.domains.summary(ids.domain)),
    ("domains.make_known", lambda account, ids: account.domains.make_known(ids.domain)),
    ("pending.page", lambda account, _: account.pending.page(100)),
    ("pending.entry", lambda account, ids: account.pending.entry(ids.entry)),
    ("pending.complete", lambda account, ids: account.pending.complete(ids.entry, SETTINGS)),
    ("pending.dismiss", lambda account, ids: account.pending.dismiss(ids.entry)),
    ("health.of_domain", lambda account, ids: account.health.of_domain(ids.domain)),
    ("health.page", lambda account, _: account.health.page("", "", 10)),
    ("health.counts", lambda account, _: [count for count in account.health.counts() if count]),
    ("health.worst_first", lambda account, _: account.health.worst_first(9).lines),
    ("health.behind", lambda account, ids: account.health.behind(ids.domain, 9)),
    ("egress.request", lambda account, ids: account.egress.request(ids.domain)),
    ("egress.with_static_addresses", lambda account, ids: account.egress.with_static_addresses(ids.domain, on=True)),
    ("incidents.page", lambda account, ids: account.incidents.page(only_open=False, domain=ids.domain)),
    ("incidents.story", lambda account, ids: account.incidents.story(ids.incident)),
    ("maintenance.announce", lambda account, ids: _announce_soon(account, ids.domain)),
    ("maintenance.windows", lambda account, _: account.maintenance.windows()),
    ("maintenance.window", lambda account, ids: account.maintenance.window(ids.window)),
    ("maintenance.end", lambda account, ids: account.maintenance.end(ids.window)),
    ("maintenance.pause", lambda account, ids: account.maintenance.pause(ids.domain)),
    ("maintenance.resume", lambda account, ids: account.maintenance.resume(ids.paused)),
    ("watches.look", lambda account, ids: account.watches.look(ids.applied)),
    ("watches.follow", lambda account, ids: next(account.watches.follow(ids.applied))),
    ("alerts.add", lambda account, ids: account.alerts.add("new", URL, Subscription(), ids.domain)),
    ("alerts.add", lambda account, ids: account.alerts.add("new", URL, Subscription(domain_id=ids.domain_id))),
    ("alerts.channels", lambda account, _: account.alerts.channels()),
    ("alerts.channel", lambda account, ids: account.alerts.channel(ids.channel_id)),
    ("alerts.remove", lambda account, ids: account.alerts.remove(ids.channel)),
    ("alerts.test", lambda account, ids: list(account.alerts.test(ids.channel))),
    ("alerts.test", lambda account, _: list(account.alerts.test())),
    ("access.create_key", lambda account, ids: account.access.create_key(KeyRequest("new", user_id=ids.user))[0].role),
    ("access.keys", lambda account, _: account.access.keys()),
    ("access.key", lambda account, ids: account.access.key(ids.key)),
    ("access.revoke_key", lambda account, ids: account.access.revoke_key(ids.key)),
    ("access.add_user", lambda account, ids: account.access.add_user("new", Role.MEMBER, ids.domain).role),
    ("access.users", lambda account, _: account.access.users()),
    ("access.user", lambda account, ids: account.access.user(ids.user)),
    ("access.user_named", lambda account, ids: account.access.user_named(ids.user_name)),
    ("access.change_role", lambda account, ids: account.access.change_role(ids.user, Role.HOST_APP)),
    ("access.remove_user", lambda account, ids: account.access.remove_user(ids.user)),
    ("audit.entries", lambda account, _: account.audit.entries(Searched(by_service=True), None, None, 1000)),
    ("events.page", lambda account, ids: account.events.page(domain=ids.domain)),
    ("events.of_change", lambda account, ids: account.events.of_change(ids.verified)),
    ("events.change", lambda account, ids: account.events.change(ids.verified)),
    (
        "webhooks.add",
        lambda account, ids: account.webhooks.add(EndpointRequest("https://a.example/", (), ids.domain)).silent,
    ),
    ("webhooks.endpoints", lambda account, _: account.webhooks.endpoints(10)),
    ("webhooks.look", lambda account, ids: account.webhooks.look(ids.webhook)),
    ("webhooks.change", lambda account, ids: account.webhooks.change(ids.webhook, {"enabled": False})),
    ("webhooks.rotate", lambda account, ids: account.webhooks.rotate(ids.webhook)),
    ("webhooks.remove", lambda account, ids: account.webhooks.remove(ids.webhook)),
    ("webhooks.test", lambda account, ids: account.webhooks.test(ids.webhook)),
    ("webhooks.deliveries", lambda account, ids: account.webhooks.deliveries(ids.webhook, 10)),
    ("webhooks.delivery", lambda account, ids: account.webhooks.delivery(ids.webhook, ids.delivery)),
    ("webhooks.redeliver", lambda account, ids: account.webhooks.redeliver(ids.webhook, ids.delivery)),
    ("webhooks.redeliver_range", lambda account, ids: account.webhooks.redeliver_range(ids.webhook, Range())),
]
"""Every use case and how it is called. What a stranger may list is empty, and what needs an id is not known."""

EMPTY = {
    "domains.page",
    "domains.summaries",
    "health.counts",
    "health.worst_first",
    "health.page",
    "maintenance.windows",
    "alerts.channels",
    "pending.page",
    "access.keys",
    "access.users",
    "audit.entries",
    "webhooks.endpoints",
}
NEW = {"mailboxes.import_rows", "domains.make_known", "changes.save", "mailboxes.import_file"}
"""Domains have names of their own in each account: the stranger makes a new one of that name."""
OF_NOBODY = {
    "access.domain_names",
    "checks.endpoint",
    "discoveries.discover",
    "events.account_id",
    "events.require_known",
    "egress.connection_ips",
    "changes.watch_minutes",
    "runs.working",
    "watches.anybody",
    "watches.watching",
}
"""They say or do nothing that is an account's."""
OF_SANDBOX = {"clock.ahead", "clock.advance"}
"""They are not there in an account that is no sandbox."""
IDS = [f"{name}-{place}" for place, (name, _) in enumerate(CALLS)]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TheirAccount]:
    """Their account, for calls that change nothing of it."""
    folder = tmp_path_factory.mktemp("door")
    url = sqlite_store(folder / "store.db")
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.new_store()
    with their_account(url, folder) as made:
        yield made


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> TheirAccount:
    """Their account in a file, closed."""
    folder = tmp_path_factory.mktemp("template")
    with their_account(sqlite_store(folder / "store.db"), folder) as made:
        return made


@pytest.fixture
def own(template: TheirAccount, tmp_path: Path) -> Iterator[TheirAccount]:
    """A copy of their account, for calls that do change it."""
    shutil.copy(template.ids.file.with_name("store.db"), tmp_path)
    url = SecretStr(f"sqlite:///{tmp_path}/store.db")
    with Preflight.open(template.preflight.config.model_copy(update={"database_url": url})) as preflight:
        yield TheirAccount(preflight, template.ids)


def test_every_use_case_is_known_here() -> None:
    assert {name for name, _ in CALLS} | OF_NOBODY | OF_SANDBOX == set(_public_of_all())


def test_an_account_has_nothing_else_to_call() -> None:
    parts = set(_parts())
    assert {name for name in dir(Account) if not name.startswith("_")} - parts == set()


@pytest.mark.parametrize("name", [name for name, item in _public_of_all().items() if callable(item)])
def test_none_takes_an_account_or_an_actor(name: str) -> None:
    parameters = inspect.signature(_public_of_all()[name]).parameters
    assert not [parameter for parameter in parameters if "account" in parameter or "actor" in parameter]


@pytest.mark.parametrize(("name", "call"), CALLS, ids=IDS)
def test_their_ids_are_as_unknown_as_ids_of_nobody(shared: TheirAccount, name: str, call: Call) -> None:
    nobody, before = ids_of_nobody(shared.ids.file.parent), shared.rows()

    answer = _answer(call, shared.stranger(), shared.ids)

    assert answer == _answer(call, shared.stranger(), nobody)
    assert before.untouched_in(shared.rows())
    if name in EMPTY:
        assert answer == "[]"
    elif name not in NEW:
        assert answer.startswith(("Invalid: ", "Unknown: "))


@pytest.mark.parametrize(("name", "call"), CALLS, ids=IDS)
def test_they_are_known_to_their_owner(own: TheirAccount, name: str, call: Call) -> None:
    """Else the test before would say nothing."""
    nobody = ids_of_nobody(own.ids.file.parent)
    unknown = _answer(call, own.stranger(), nobody)

    assert _answer(call, own.owner, own.ids) != unknown, name


def test_a_clock_moves_in_ones_own_sandbox_only(own: TheirAccount) -> None:
    stranger = own.stranger()
    theirs, ours = _sandbox(own, own.owner), _sandbox(own, stranger)
    before = own.rows()

    assert ours.clock.advance(3600.0) == ours.clock.ahead() == 3600.0

    assert theirs.clock.ahead() == 0.0
    after = own.rows()
    changed = {name for name, rows in before.tables.items() if rows - after.tables[name]}
    assert changed == {"sandboxes", "events"}, "what happened there moves, too"
    assert not (after.tables["health_schedule"] - before.tables["health_schedule"])
    for account in (own.owner, stranger):
        for call in (account.clock.ahead, lambda account=account: account.clock.advance(60.0)):
            with pytest.raises(Unknown, match="no sandbox"):
                call()


def _sandbox(world: TheirAccount, account: Account) -> Account:
    key, _ = account.access.create_key(KeyRequest("test", live=False))
    assert key.account_id is not None
    return world.preflight.account_by_id(key.account_id, actor=SERVICE)


def test_an_unknown_account_has_no_door(own: TheirAccount) -> None:
    with pytest.raises(Invalid, match="account 'nobody' is not known"):
        own.preflight.account("nobody", actor=SERVICE)


def test_what_is_done_is_told_of_the_actor(own: TheirAccount) -> None:
    own.owner.changes.discard(own.ids.verified)

    *_, last = own.owner.changes.history(own.ids.verified)[1]
    assert (last.actor.name, last.event) == ("owner", "discard")


def _answer(call: Call, account: Account, ids: Ids) -> str:
    """What is returned or raised, without ids and times."""
    try:
        said = repr(call(account, ids))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
        said = f"{type(error).__name__}: {error}"
    said = re.sub(r"\b[0-9a-f]{32}\b", "ID", ids.stripped(said))
    return re.sub(r"(created_at|\bid)=[\d.e+]+", r"\1=N", said)
