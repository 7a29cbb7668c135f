"""What the tests with a browser share: one browser and one service."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.web.pages.scene import Scene, chromium, playing


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with playing(tmp_path_factory.mktemp("scene")) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if shutil.which("chromium") is None:
        pytest.skip("Chromium is not installed (run scripts/install-test-servers.sh)")
    with chromium() as found:
        yield found
