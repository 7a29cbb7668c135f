"""Log lines: ours as asked for, other packages' never below WARNING."""

import logging
from collections.abc import Iterator

import pytest

from checks.model import Invalid
from cli.logs import configure_logging

NAMES = ("checks", "settings_store", "worker", "cli", "kombu.connection")


@pytest.fixture(autouse=True)
def _levels_as_before() -> Iterator[None]:
    before = {name: logging.getLogger(name).level for name in NAMES}
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def test_debug_is_ours_alone() -> None:
    configure_logging("debug")

    assert logging.getLogger("worker.runs.flow").isEnabledFor(logging.DEBUG)
    assert not logging.getLogger("imapclient").isEnabledFor(logging.INFO)
    assert not logging.getLogger("sqlalchemy.engine").isEnabledFor(logging.INFO)


def test_another_word_is_refused() -> None:
    with pytest.raises(Invalid, match="MAIL_PREFLIGHT_LOG_LEVEL 'loud' is no level"):
        configure_logging("loud")
