"""What goes out when: bundled, tried again, given up, never through the broken server, and never lost."""

import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from checks.codes import Code
from checks.network.address_policy import AddressPolicy
from settings_store import schema
from settings_store.alerts import deliveries, fallback_routes
from settings_store.alerts.channels import Subscription
from settings_store.alerts.quiet_hours import Quiet
from settings_store.db import Database
from settings_store.incidents import incidents
from settings_store.incidents.incidents import Scope, Severity
from settings_store.secrets import Vault, new_key
from tests.settings_store.telling import NOW, Office
from worker.alerts import fallback
from worker.alerts.delivery import add_channel, back_off, send_due, test_channel
from worker.alerts.message import Message, NotSent
from worker.config import Config
from worker.health.retention import forget_old
from worker.resources import Resources

pytestmark = pytest.mark.one_database
test_channel.__test__ = False  # type: ignore[attr-defined] # it is none of pytest's
MAIL = "mailto://{host}:25?mode=insecure&from=alerts@sender.example&to={name}@lab.example"


class Killed(BaseException):
    """The worker dies there."""


ALL = Subscription()


@dataclass
class Post:
    """Takes the place of Apprise. `refuse` says of a message whether it is not accepted."""

    sent: list[tuple[str, Message]] = field(default_factory=list)
    refuse: Callable[[str], bool] = lambda _: False
    die: bool = False

    def __call__(self, url: str, message: Message, _policy: AddressPolicy) -> None:
        if self.refuse(url):
            raise NotSent("HTTP status 500")
        self.sent.append((url, message))
        if self.die:
            raise Killed

    @property
    def subjects(self) -> list[str]:
        return [message.subject for _, message in self.sent]

    def ids(self) -> list[str]:
        return [message.id for _, message in self.sent]


class Bureau(Office):
    """An office whose alerts are sent."""

    def __init__(self, database: Database, **config: object) -> None:
        super().__init__(database)
        self.post = Post()
        settings = Config.model_validate({"secret_key": "x", **config})
        self.resources = Resources(database, self.vault, settings, lambda *_: None, now=lambda: self.now)

    def send(self, seconds_later: float = 0) -> int:
        self.now += seconds_later
        return send_due(self.resources, self.post)

    def mail_channel(self, name: str, host: str, subscription: Subscription = ALL, account: str = "default") -> None:
        shown = f"mailto: {name}@lab.example by {host}:25"
        self.channel(name, subscription, MAIL.format(host=host, name=name), account, shown)

    @property
    def told(self) -> list[str]:
        """The names in the URLs of mail channels that were sent to."""
        return [url.rpartition("to=")[2].partition("@")[0] for url, _ in self.post.sent]


@pytest.fixture
def bureau(database: Database) -> Bureau:
    return Bureau(database)


@pytest.mark.both_databases
def test_each_event_is_sent_once(bureau: Bureau) -> None:
    bureau.channel("a")
    bureau.channel("b")
    incident = bureau.incident()
    assert (bureau.send(), bureau.send()) == (2, 0)
    bureau.announce(incident, "reminder", 1)
    assert (bureau.send(60), bureau.send()) == (2, 0)
    bureau.resolve(incident)
    assert (bureau.send(60), bureau.send(), bureau.send(10**6)) == (2, 0, 0)
    assert [subject.split(":")[0] for subject in bureau.post.subjects[::2]] == [
        *("Broken", "Still broken (1)", "Works again"),
    ]
    assert len(set(bureau.post.ids())) == 6


def test_a_message_tells_the_whole_story(bureau: Bureau) -> None:
    bureau.channel("admins", Subscription(zone="Asia/Tokyo"))
    bureau.mailboxes(12)
    bureau.mailboxes(2, code=Code.AUTH_REJECTED, domain="other.example")
    incident = bureau.incident()
    bureau.send()
    ((url, message),) = bureau.post.sent
    assert url == "json://127.0.0.1:1/" and message.kind == "failure"
    for words in ("Connection refused", "Since: 2027-01-15 16:57 (UTC+09:00)", "Domains: lab.example", incident):
        assert words in message.text
    assert "user00@lab.example, user01@lab.example" in message.text and "user10" not in message.text
    assert "http" not in message.text


def test_the_link_leads_to_the_incident(database: Database) -> None:
    bureau = Bureau(database, public_url="https://preflight.example/")
    bureau.channel(subscription=Subscription(language="ja"))
    incident = bureau.incident()
    bureau.send()
    message = bureau.post.sent[0][1]
    assert f"\nhttps://preflight.example/incidents/{incident}\n" in message.text
    assert message.subject.startswith("障害：")


@pytest.mark.both_databases
@pytest.mark.parametrize(("count", "messages"), [(4, 4), (5, 1), (60, 1)])
def test_many_at_a_time_are_one_message(bureau: Bureau, count: int, messages: int) -> None:
    bureau.channel()
    for number in range(count):
        bureau.incident(f"endpoint:{number}", domains=(f"d{number:02}.example",))
    assert bureau.send() == messages
    if messages == 1:
        message = bureau.post.sent[0][1]
        assert message.subject == f"{count} alerts in one message"
        assert message.text.count("\n- Broken: ") == min(count, 50)
        assert ("And 10 more." in message.text) is (count == 60)


def test_a_digest_of_good_news_is_good_news(bureau: Bureau) -> None:
    bureau.channel()
    incidents = [bureau.incident(f"endpoint:{number}") for number in range(5)]
    bureau.send()
    for incident in incidents:
        bureau.resolve(incident)
    bureau.send(60)
    assert [message.kind for _, message in bureau.post.sent] == ["failure", "success"]


def test_what_waits_for_the_morning_comes_as_one(bureau: Bureau) -> None:
    bureau.channel(subscription=Subscription(Severity.INFO, quiet=Quiet(22 * 60, 9 * 60)))
    over = bureau.incident("over", Severity.WARNING)
    for number in range(5):
        bureau.incident(f"mailbox:{number}", Severity.WARNING)
    assert bureau.send() == 0
    bureau.resolve(over)
    assert bureau.send(1800) == 0
    assert bureau.send(1800) == 1
    text = bureau.post.sent[0][1].text
    assert text.count("- Broken: ") == 5 and text.count("- Works again: ") == 1


def test_back_off_grows_to_an_hour() -> None:
    for attempts, minutes in enumerate([1, 2, 4, 8, 16, 32, 60, 60, 60], start=1):
        waits = [back_off(attempts) for _ in range(50)]
        assert all(0.9 * minutes * 60 <= wait <= 1.1 * minutes * 60 for wait in waits)
        assert len(set(waits)) > 1
    assert back_off(10**6) <= 66 * 60


def test_what_is_not_accepted_is_tried_again_under_the_same_id(bureau: Bureau) -> None:
    bureau.channel()
    bureau.incident()
    bureau.post.refuse = lambda _: True
    assert bureau.send() == 0
    (row,) = bureau.deliveries()
    assert (row["state"], row["attempts"], row["error"]) == ("pending", 1, "HTTP status 500")
    assert 54 <= row["next_at"] - NOW <= 66
    bureau.post.refuse = lambda _: False
    assert bureau.send(50) == 0
    assert bureau.send(20) == 1
    assert bureau.post.ids() == [row["id"]]
    assert [(row["state"], row["sent_at"], row["error"]) for row in bureau.deliveries()] == [("sent", bureau.now, "")]


def test_after_three_days_it_is_given_up(bureau: Bureau, caplog: pytest.LogCaptureFixture) -> None:
    bureau.channel()
    bureau.incident()
    bureau.post.refuse = lambda _: True
    bureau.send()
    (row,) = bureau.deliveries()
    while row["state"] == "pending":
        assert row["attempts"] < 100
        bureau.send(row["next_at"] - bureau.now)
        (row,) = bureau.deliveries()
    assert row["state"] == "given_up" and 72 <= (bureau.now - row["created_at"]) / 3600 < 74
    assert 70 < row["attempts"] < 90
    assert caplog.records[-1].levelno == logging.ERROR and "given up" in caplog.records[-1].message
    assert bureau.send(10**6) == 0


def test_a_service_that_was_off_for_days_does_not_give_up_at_once(bureau: Bureau) -> None:
    bureau.channel()
    bureau.incident()
    bureau.post.refuse = lambda _: True
    bureau.send()
    bureau.send(4 * 86400)
    assert [row["state"] for row in bureau.deliveries()] == ["pending"]
    bureau.post.refuse = lambda _: False
    assert bureau.send(3600) == 1


def test_what_ended_before_it_was_told_is_not_called_broken(bureau: Bureau) -> None:
    bureau.channel()
    incident = bureau.incident()
    with bureau.database.begin() as conn:
        incidents.close(conn, incident, bureau.now)  # without a word: it is part of a greater one, or not watched
    assert bureau.send() == 1
    assert bureau.post.subjects[0].startswith("Was broken: ")


def test_a_channel_that_is_added_in_the_middle_of_it_is_told(bureau: Bureau) -> None:
    bureau.channel("first")
    incident = bureau.incident()
    bureau.send()
    account, url = bureau.account(), "json://later.example/"
    add_channel(bureau.database, bureau.vault, account, "later", url, Subscription(), bureau.now)
    bureau.send(60)
    bureau.resolve(incident)
    bureau.send(60)
    told = [message.subject.partition(":")[0] for sent_to, message in bureau.post.sent if sent_to == url]
    assert told == ["Broken", "Works again"]


def test_one_channel_that_fails_keeps_no_other_waiting(bureau: Bureau) -> None:
    for name in ("a", "b", "c"):
        bureau.channel(name, url=f"json://{name}/")
    bureau.incident()
    bureau.post.refuse = lambda url: "//b/" in url
    assert bureau.send() == 2


def test_resolved_while_it_could_not_be_sent_is_told_in_one(bureau: Bureau) -> None:
    bureau.channel()
    incident = bureau.incident()
    bureau.post.refuse = lambda _: True
    bureau.send()
    bureau.resolve(incident)
    bureau.post.refuse = lambda _: False
    assert bureau.send(1) == 1
    assert bureau.send(3600) == 0
    assert [subject.split(":")[0] for subject in bureau.post.subjects] == ["Works again"]
    assert [row["state"] for row in bureau.deliveries()] == ["sent"]


@pytest.mark.both_databases
def test_a_worker_that_dies_after_sending_leaves_it_to_another_under_the_same_id(bureau: Bureau) -> None:
    bureau.channel()
    bureau.incident()
    bureau.post.die = True
    with pytest.raises(Killed):
        bureau.send()
    bureau.post.die = False
    assert bureau.send(119) == 0
    assert bureau.send(1) == 1
    assert bureau.send(10**5) == 0
    first, second = bureau.post.ids()
    assert first == second


def test_a_worker_that_is_stopping_claims_nothing(bureau: Bureau) -> None:
    bureau.channel()
    bureau.incident()
    bureau.resources.stopping.set()
    assert bureau.send() == 0
    bureau.resources.stopping.clear()
    assert bureau.send() == 1


def test_a_url_that_cannot_be_decrypted_is_tried_again(bureau: Bureau) -> None:
    bureau.channel()
    bureau.incident()
    bureau.resources.vault = Vault([new_key()])
    assert bureau.send() == 0
    assert "cannot be read with this service's keys" in bureau.deliveries()[0]["error"]
    bureau.resources.vault = bureau.vault
    assert bureau.send(120) == 1


@pytest.mark.both_databases
def test_what_was_sent_is_forgotten_after_the_history(bureau: Bureau) -> None:
    bureau.channel()
    still_open, over = bureau.incident("open"), bureau.incident("over")
    bureau.send()
    bureau.resolve(over)
    bureau.send(60)
    assert len(bureau.deliveries()) == 3
    bureau.send(91 * 86400)
    forget_old(bureau.resources)
    assert len(bureau.deliveries()) == 1
    assert bureau.resolve(still_open) == 1, "whoever was told that it opened is told that it is over"


# -- never through the broken server


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and their addresses."""
    known = {
        "mail.lab.example": "192.0.2.1",
        "alias.lab.example": "192.0.2.1",
        "other.example": "192.0.2.2",
        "operator.example": "192.0.2.3",
    }
    fallback._addresses.cache_clear()  # noqa: SLF001 - other tests have other names

    def look_up(host: str, port: int, **_: object) -> list[object]:
        if host not in known:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (known[host], port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.mark.parametrize("host", ["mail.lab.example", "MAIL.lab.example", "alias.lab.example"])
@pytest.mark.parametrize("scope", [Scope.ENDPOINT, Scope.SERVER, Scope.MAILBOXES])
def test_mail_does_not_go_through_the_broken_server(bureau: Bureau, host: str, scope: Scope) -> None:
    bureau.mail_channel("inside", host)
    bureau.mail_channel("outside", "other.example")
    bureau.mail_channel("operator", "operator.example", Subscription(operator=True), "house")
    incident = bureau.incident(scope=scope)
    bureau.send()
    assert bureau.told == ["outside"]
    for _ in range(5):
        bureau.send(400)
    assert bureau.told == ["outside"], "and stays silent while it is broken"
    with bureau.database.begin() as conn:
        incidents.recover(conn, incident, bureau.now)
    bureau.send(400)
    assert bureau.told == ["outside"], "nor before it is over: it may fail again"
    bureau.resolve(incident)
    bureau.send(60)
    assert sorted(bureau.told) == ["inside", "outside", "outside"]
    assert bureau.post.subjects.count("Works again: " + bureau.post.subjects[0].partition(": ")[2]) == 2


def test_where_no_way_is_left_the_operator_is_told(bureau: Bureau) -> None:
    bureau.mail_channel("inside", "mail.lab.example")
    bureau.mail_channel("alias", "alias.lab.example")
    bureau.mail_channel("operator", "operator.example", Subscription(operator=True), "house")
    incident = bureau.incident()
    bureau.send()
    bureau.send(400)
    assert bureau.told == ["operator"]
    bureau.resolve(incident)
    bureau.send(60)
    assert sorted(bureau.told) == ["alias", "inside", "operator", "operator"]


def test_where_the_operators_way_is_broken_too_that_is_logged(bureau: Bureau, caplog: pytest.LogCaptureFixture) -> None:
    bureau.mail_channel("inside", "mail.lab.example")
    bureau.mail_channel("operator", "alias.lab.example", Subscription(operator=True), "house")
    incident = bureau.incident()
    bureau.send()
    bureau.send(400)
    assert bureau.told == []
    assert f"incident {incident}: every channel leads through the broken server" in caplog.text
    bureau.resolve(incident)
    bureau.send(60)
    assert sorted(bureau.told) == ["inside", "operator"]


def test_what_else_there_is_to_tell_still_goes_that_way(bureau: Bureau) -> None:
    bureau.mail_channel("inside", "mail.lab.example")
    bureau.mail_channel("operator", "operator.example", Subscription(operator=True), "house")
    bureau.incident("broken")
    bureau.incident("elsewhere", host="other.example")
    bureau.incident("one mailbox", Severity.WARNING, scope=Scope.MAILBOX)
    bureau.incident("soon", Severity.WARNING, scope=Scope.NOTICE)
    bureau.send()
    assert sorted(bureau.told) == ["inside", "inside", "inside", "operator"]


def test_a_digest_leaves_out_what_may_not_go_that_way(bureau: Bureau) -> None:
    bureau.mail_channel("inside", "mail.lab.example")
    bureau.channel("hook")
    bureau.incident("broken", domains=("broken.example",))
    for number in range(6):
        bureau.incident(f"endpoint:{number}", host="other.example", domains=(f"d{number}.example",))
    assert bureau.send() == 2
    by_url = {url.partition(":")[0]: message.text for url, message in bureau.post.sent}
    assert "broken.example" not in by_url["mailto"] and by_url["mailto"].count("- Broken") == 6
    assert by_url["json"].count("- Broken") == 7


@pytest.mark.both_databases
@pytest.mark.parametrize("attempts", [0, 1])
def test_what_broke_after_it_was_bundled_is_held_back_as_well(bureau: Bureau, attempts: int) -> None:
    """Bundled just now, or tried before: then its id stays."""
    bureau.mail_channel("inside", "late.lab.example")
    bureau.channel("hook")
    incident = bureau.incident(host="other.example")
    bureau.post.refuse = lambda _: True
    if attempts:
        bureau.send()
    else:
        bundle(bureau)
    bureau.post.refuse = lambda _: False
    set_host(bureau, incident, "late.lab.example")
    bureau.send(120)
    bureau.send(120)
    assert [url.partition(":")[0] for url, _ in bureau.post.sent] == ["json"]
    bureau.resolve(incident)
    bureau.send(400)
    assert sorted(url.partition(":")[0] for url, _ in bureau.post.sent) == ["json", "json", "mailto"]


def bundle(bureau: Bureau) -> None:
    with bureau.database.begin() as conn:
        for channel_id in deliveries.due_by_channel(conn, bureau.now):
            deliveries.bundle(conn, channel_id, bureau.now)


def set_host(bureau: Bureau, incident: str, host: str) -> None:
    with bureau.database.begin() as conn:
        conn.execute(schema.incidents.update().where(schema.incidents.c.id == incident).values(facts={"host": host}))


def test_a_resolver_that_hangs_does_not_hang_alerts(bureau: Bureau, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def hang(_policy: AddressPolicy, host: str, _minute: int) -> frozenset[str]:
        asked.append(host)
        ticks.append(5.0)
        return frozenset()

    ticks: list[float] = []
    monkeypatch.setattr(fallback, "_addresses", hang)
    monkeypatch.setattr("worker.alerts.fallback.time.monotonic", lambda: sum(ticks))
    bureau.mail_channel("inside", "mail.lab.example")
    keys = [bureau.incident(f"endpoint:{number}", host=f"h{number}.example") for number in range(50)]
    names = fallback._Names(bureau.resources)  # noqa: SLF001 - what one round may wait
    with bureau.database.read() as conn:
        ways = fallback_routes.ways(conn, deliveries.due_keys(conn, bureau.now, 99))
    assert len(ways) == len(keys) and not names.blocked(ways)
    assert len(asked) == 2


# -- channels


def test_a_channel_is_added_and_tried_out(bureau: Bureau) -> None:
    url = " json://user:pl4nted@hooks.example/pl4nted \n"
    account = bureau.account()
    added = add_channel(bureau.database, bureau.vault, account, "hook", url, Subscription(language="ja"), NOW)
    assert added.shown == "json://hooks.example/..." and "pl4nted" not in repr(added)
    test_channel(bureau.vault, AddressPolicy(), added, bureau.post)
    ((sent_to, message),) = bureau.post.sent
    assert sent_to == url.strip() and "テスト" in message.subject and "hook" in message.text
    bureau.post.refuse = lambda _: True
    with pytest.raises(NotSent, match="HTTP status 500"):
        test_channel(bureau.vault, AddressPolicy(), added, bureau.post)
    with pytest.raises(NotSent, match="keys"):
        test_channel(Vault([new_key()]), AddressPolicy(), added, bureau.post)
