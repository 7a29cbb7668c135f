"""Whether this process could answer requests now: asked for by load balancers, so nothing in it is secret."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from checks.model import Invalid, Unavailable
from settings_store import migrations
from settings_store.db import Database
from worker import broker

log = logging.getLogger(__name__)

OK = "ok"


@dataclass(frozen=True, slots=True)
class Readiness:
    """`parts` are database, schema and broker, each "ok" or what is wrong with it in a few words."""

    parts: Mapping[str, str]

    @property
    def ready(self) -> bool:
        """Whether nothing is missing."""
        return set(self.parts.values()) == {OK}


def readiness(database: Database, broker_url: str | None) -> Readiness:
    """Asks the database, and the broker where there is one. Raises nothing: what fails is what is told."""
    return Readiness({**_database(database), "broker": OK if broker_url is None else _broker(broker_url)})


def _database(database: Database) -> dict[str, str]:
    try:
        with database.read() as conn:
            revision = migrations.current_revision(conn)
    except (Unavailable, sa.exc.SQLAlchemyError, OSError) as error:
        # The text of the exception may name the database and its user.
        log.warning("readiness: the database does not answer (%s)", type(error).__name__)
        return {"database": "does not answer", "schema": "not known"}
    return {"database": OK, "schema": OK if revision == migrations.HEAD else "is not this version's"}


def _broker(url: str) -> str:
    try:
        broker.require(url)
    except (Unavailable, Invalid) as error:
        log.warning("readiness: the broker cannot be used (%s)", type(error).__name__)
        return "does not answer" if isinstance(error, Unavailable) else "refuses us"
    return OK
