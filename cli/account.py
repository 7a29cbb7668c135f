"""What commands work with: the service, or the use cases of the account for whoever runs the command."""

import contextlib
import gc
import os
import pwd
from collections.abc import Iterator
from typing import TYPE_CHECKING

from cli.naming import account

if TYPE_CHECKING:
    from settings_store.audit import Actor
    from worker.service.account import Account
    from worker.service.domains.connecting import Connecting
    from worker.service.preflight import Preflight


def actor() -> "Actor":
    """Who runs the command: the user of the operating system, whatever the environment claims."""
    from settings_store.actors import Actor, of_machine

    number = os.getuid()
    try:
        name = pwd.getpwuid(number).pw_name
    except KeyError:  # a container's user need not have a name
        name = f"uid {number}"
    return Actor(name, "local", person=of_machine(name))


def open_preflight(egress: str | None = None) -> "Preflight":
    """The service as the environment configures it, as one that has the addresses of `egress`. Raises `Invalid`."""
    from cli.logs import configure_logging
    from worker.config import load_config
    from worker.service.preflight import Preflight

    gc.freeze()  # what was imported stays: it need not be looked at again and again
    gc.enable()
    config = load_config()
    configure_logging(config.log_level)
    if egress is not None:
        from worker.egress.egresses import at_egress

        config = at_egress(config, egress)
    return Preflight.open(config)


@contextlib.contextmanager
def open_connecting() -> "Iterator[Connecting]":
    """What may be connected in the chosen account, by whoever runs the command: every mailbox. Raises `Invalid`."""
    with open_preflight() as preflight:
        yield preflight.connecting(preflight.account_id(account()), actor=actor(), member_of=None)


@contextlib.contextmanager
def open_account() -> "Iterator[Account]":
    """The chosen account of the service, for `actor`. Raises `Invalid`."""
    with open_preflight() as preflight:
        yield preflight.account(account(), actor=actor())
