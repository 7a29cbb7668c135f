"""What happens to the mailboxes of a domain in a day, and what is told of it."""

from checks.codes import Code
from tests.worker.health_world import (
    HOUR,
    MINUTE,
    World,
    down,
    populate,
    told,
)


def test_mailboxes_follow_the_server_and_come_back(world: World) -> None:
    account = populate(world, 4)
    domain_id = world.domain(account, "dead.example", "dead.example", down((8 * HOUR, 9 * HOUR)), mailboxes=6)
    world.go_to(7 * HOUR)
    assert world.states(domain_id) == {"connected": 6}
    world.go_to(8.9 * HOUR)
    assert world.states(domain_id) == {"disconnected": 6}
    world.go_to(9.6 * HOUR)
    assert world.states(domain_id).get("disconnected") is None
    world.go_to(16 * HOUR)
    assert world.states(domain_id) == {"connected": 6}
    assert world.alerts() == told("ann", "endpoint dead.example", Code.CONNECT_REFUSED)


def test_all_mailboxes_of_a_domain_rejected_alike(world: World) -> None:
    account = populate(world, 2)
    domain_id = world.domain(account, "box.example", "box.example", mailboxes=12)
    world.go_to(7 * HOUR, quiet=900)
    right = dict(world.passwords)
    world.passwords = dict.fromkeys(right, "another")
    world.go_to(20 * HOUR, quiet=900)
    assert world.states(domain_id) == {"disconnected": 12}
    assert world.alerts() == told("ann", "mailboxes box.example", Code.AUTH_ALL_REJECTED, "opened")
    for address in right:
        world.import_again(domain_id, address)
    world.go(2 * MINUTE)
    assert len(world.alerts()) == 1, "nobody knows yet whether they work"
    world.go(10 * HOUR, quiet=900)
    assert world.states(domain_id) == {"connected": 12}
    assert world.alerts() == told("ann", "mailboxes box.example", Code.AUTH_ALL_REJECTED)


def test_one_password_is_changed_and_imported_again(world: World) -> None:
    account = populate(world, 2)
    domain_id = world.domain(account, "box.example", "box.example", mailboxes=12)
    world.go_to(7 * HOUR, quiet=900)
    world.passwords["box3@box.example"] = "another"
    world.go_to(20 * HOUR, quiet=900)
    assert world.states(domain_id) == {"connected": 11, "disconnected": 1}
    assert world.alerts() == told("ann", "mailbox box.example", Code.AUTH_REJECTED, "opened")
    logins = world.logins
    world.import_again(domain_id, "box3@box.example")
    world.go(10 * HOUR, quiet=900)
    assert world.logins > logins
    assert world.alerts() == told("ann", "mailbox box.example", Code.AUTH_REJECTED)
